package org.stellaops.backup.crypto;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.WriterKeys;

class WriterKeyFileTest {
  private static final String REPOSITORY = "5b7e7a52-5f0f-4d0e-9a35-0c1f6c0c7a11";

  @TempDir Path directory;

  @Test
  void keys_are_made_where_there_are_none_and_stay_the_same() throws IOException {
    WriterKeyFile file = file().named("host-a");

    try (WriterKeys made = file.open();
        WriterKeys read = file.open()) {
      assertEquals("host-a", made.id().name());
      assertEquals(made.id(), read.id());
      assertEquals(made.id(), file.id());
      assertArrayEquals(bytes(made.chunkIdKey()), bytes(read.chunkIdKey()));
      assertEquals(32, bytes(made.chunkIdKey()).length);
      assertEquals(Optional.empty(), read.repository());
      byte[] state = AgeBytes.seal(Age.format(), new byte[] {1, 2}, made.stateRecipient());
      assertArrayEquals(
          new byte[] {1, 2}, AgeBytes.open(Age.format(), state, read.stateIdentity()));
    }
    assertEquals("rw-------", mode());
    assertOnlyTheFile();
  }

  @Test
  void a_writer_without_a_name_is_called_by_the_digest_of_its_public_key() throws Exception {
    try (WriterKeys keys = file().open()) {
      byte[] blob = Base64.getDecoder().decode(keys.id().publicKey().substring(12));
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(blob);

      assertEquals("writer-" + HexFormat.of().formatHex(digest, 0, 4), keys.id().name());
    }
  }

  @Test
  void a_bad_name_is_refused_at_once() {
    for (String name : List.of("", "Host", "host.a", "retention", "a b", "x".repeat(61))) {
      assertThrows(IllegalArgumentException.class, () -> file().named(name), name);
    }
  }

  @Test
  void keys_of_another_writer_are_refused() throws IOException {
    file().named("host-a").open().close();

    var refusal = Failures.assertCrypto("STELLA-503", () -> file().named("host-b").open().close());

    assertTrue(refusal.getMessage().contains("host-a, not of host-b"), refusal.getMessage());
    Failures.assertCrypto("STELLA-503", () -> file().named("host-b").id());
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw-r-----", "rw----r--", "rw-rw-rw-"})
  void a_file_that_others_may_read_is_refused(String mode) throws IOException {
    file().open().close();
    Files.setPosixFilePermissions(path(), PosixFilePermissions.fromString(mode));

    Failures.assertCrypto("STELLA-504", () -> file().open().close());
    Failures.assertCrypto("STELLA-504", () -> file().id());
  }

  @Test
  void asking_for_the_id_makes_no_keys() {
    Failures.assertCrypto("STELLA-502", () -> file().id());

    assertFalse(Files.exists(path()));
  }

  @Test
  void a_missing_directory_is_reported() {
    var file = WriterKeyFile.at(directory.resolve("nobody").resolve("writer.key"));

    Failures.assertCrypto("STELLA-502", () -> file.open().close());
  }

  @Test
  void a_dangling_link_is_reported_and_not_replaced() throws IOException {
    Files.createSymbolicLink(path(), directory.resolve("elsewhere"));

    Failures.assertCrypto("STELLA-502", () -> file().open().close());

    assertTrue(Files.isSymbolicLink(path()));
  }

  @Test
  void binding_is_remembered_and_changes_no_key() throws IOException {
    try (WriterKeys keys = file().open()) {
      keys.bindTo(REPOSITORY);
      keys.bindTo(REPOSITORY);
      assertEquals(Optional.of(REPOSITORY), keys.repository());

      try (WriterKeys read = file().open()) {
        assertEquals(Optional.of(REPOSITORY), read.repository());
        assertEquals(keys.id(), read.id());
        assertArrayEquals(bytes(keys.chunkIdKey()), bytes(read.chunkIdKey()));
        assertEquals(keys.stateRecipient(), read.stateRecipient());
      }
    }
    assertEquals("rw-------", mode());
    assertOnlyTheFile();
  }

  @Test
  void bound_keys_are_not_bound_again() throws IOException {
    try (WriterKeys first = file().open();
        WriterKeys second = file().open()) {
      first.bindTo(REPOSITORY);

      Failures.assertFails(
          BackupException.Refused.class, "STELLA-705", () -> second.bindTo("other"));

      assertEquals(Optional.empty(), second.repository());
      second.bindTo(REPOSITORY);
    }
  }

  @Test
  void keys_that_were_replaced_meanwhile_are_not_bound() throws IOException {
    try (WriterKeys keys = file().open()) {
      Files.delete(path());
      file().open().close();

      Failures.assertCrypto("STELLA-503", () -> keys.bindTo(REPOSITORY));
    }
  }

  @Test
  void what_is_no_repository_id_is_refused() throws IOException {
    try (WriterKeys keys = file().open()) {
      for (String id : List.of("", "two words", "line\nend", "x".repeat(121))) {
        assertThrows(IllegalArgumentException.class, () -> keys.bindTo(id), id);
      }
    }
  }

  @Test
  void of_many_that_make_the_file_at_once_all_use_the_same_keys() throws Exception {
    int racers = 8;
    for (int round = 0; round < 20; round++) {
      Files.deleteIfExists(path());
      ExecutorService executor = Executors.newFixedThreadPool(racers);
      try {
        var start = new CountDownLatch(1);
        var found = new ArrayList<Future<WriterId>>();
        for (int i = 0; i < racers; i++) {
          found.add(
              executor.submit(
                  () -> {
                    start.await();
                    try (WriterKeys keys = file().open()) {
                      return keys.id();
                    }
                  }));
        }
        start.countDown();
        var ids = new HashSet<WriterId>();
        for (Future<WriterId> each : found) {
          ids.add(each.get());
        }
        assertEquals(1, ids.size(), "round " + round);
      } finally {
        executor.shutdown();
      }
      assertOnlyTheFile();
    }
  }

  @Test
  void every_cut_file_is_refused() throws IOException {
    try (WriterKeys keys = file().open()) {
      keys.bindTo(REPOSITORY);
    }
    byte[] whole = Files.readAllBytes(path());
    String text = new String(whole, UTF_8);
    int unbound = text.indexOf("repository: "); // without this line it is a file, of unbound keys
    for (int length = 0; length < whole.length; length++) {
      if (length != unbound) {
        Files.write(path(), AgeBytes.slice(whole, 0, length));
        Failures.assertCrypto("STELLA-503", () -> file().open().close());
      }
    }
  }

  @Test
  void a_line_that_is_missing_doubled_or_out_of_order_is_refused() throws IOException {
    file().open().close();
    List<String> lines = Files.readAllLines(path());
    for (int i = 0; i < lines.size(); i++) {
      if (!lines.get(i).startsWith("#")) {
        var without = new ArrayList<>(lines);
        without.remove(i);
        assertRefused(without, "without line " + i);
        var twice = new ArrayList<>(lines);
        twice.add(i, lines.get(i));
        assertRefused(twice, "twice line " + i);
      }
    }
    var swapped = new ArrayList<>(lines);
    swapped.set(2, lines.get(3));
    swapped.set(3, lines.get(2));
    assertRefused(swapped, "swapped");
    var longer = new ArrayList<>(lines);
    longer.add("extra: 1");
    assertRefused(longer, "longer");
  }

  @Test
  void a_later_version_is_refused_by_its_number() throws IOException {
    file().open().close();
    String text = Files.readString(path());
    Files.writeString(path(), text.replaceFirst("key 1\n", "key 2\n"));

    var refusal = Failures.assertCrypto("STELLA-503", () -> file().open().close());

    assertTrue(refusal.getMessage().contains("version"), refusal.getMessage());
  }

  @Test
  void comments_are_passed_over() throws IOException {
    file().named("host-a").open().close();
    String text = Files.readString(path());
    Files.writeString(path(), "# ours\n" + text.replace("\nwriter:", "\n#\n# x\nwriter:") + "#end");

    assertEquals("host-a", file().id().name());
  }

  @Test
  void a_public_key_that_is_not_of_the_private_one_is_refused() throws IOException {
    Path other = directory.resolve("other.key");
    file().open().close();
    WriterKeyFile.at(other).open().close();
    String mine = line(Files.readString(path()), "public-key: ");
    String theirs = line(Files.readString(other), "public-key: ");
    assertNotEquals(mine, theirs);
    Files.writeString(path(), Files.readString(path()).replace(mine, theirs));

    var refusal = Failures.assertCrypto("STELLA-503", () -> file().open().close());

    assertTrue(refusal.getMessage().contains("private half"), refusal.getMessage());
  }

  @Test
  void no_message_and_no_text_holds_a_private_key() throws IOException {
    try (WriterKeys keys = file().open()) {
      String text = Files.readString(path());
      String seed = line(text, "signing-key: ").substring("signing-key: ".length());
      Files.writeString(path(), text.replace(seed, seed + "x"));

      var refusal = Failures.assertCrypto("STELLA-503", () -> file().open().close());

      assertFalse(refusal.getMessage().contains(seed), refusal.getMessage());
      assertFalse(keys.toString().contains(seed));
      assertFalse(file().toString().contains(seed));
    }
  }

  @Test
  void closed_keys_do_nothing() throws IOException {
    WriterKeys keys = file().open();
    keys.close();

    assertThrows(IllegalStateException.class, () -> keys.sign("x", new byte[1]));
    assertThrows(IllegalStateException.class, keys::chunkIdKey);
    assertThrows(IllegalStateException.class, keys::stateIdentity);
    assertThrows(IllegalStateException.class, () -> keys.bindTo(REPOSITORY));
  }

  private void assertRefused(List<String> lines, String what) throws IOException {
    Files.writeString(path(), String.join("\n", lines) + "\n");
    var refusal = assertThrows(BackupException.Crypto.class, () -> file().open().close(), what);
    assertEquals("STELLA-503", refusal.code().code(), what);
  }

  private void assertOnlyTheFile() throws IOException {
    try (var files = Files.list(directory)) {
      assertEquals(List.of(path()), files.toList());
    }
  }

  private static String line(String text, String start) {
    return text.lines().filter(line -> line.startsWith(start)).findFirst().orElseThrow();
  }

  private static byte[] bytes(FileKey key) {
    try (key) {
      return key.use(byte[]::clone);
    }
  }

  private Path path() {
    return directory.resolve("writer.key");
  }

  private WriterKeyFile file() {
    return WriterKeyFile.at(path());
  }

  private String mode() throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path()));
  }
}
