package org.stellaops.backup.crypto;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.WriterKeys;

/** What we write, {@code age} and {@code ssh-keygen} read, and the reverse. */
@Tag("interop")
class AgeInteropIT {
  private static final int LARGE = 100 * 1024 * 1024;
  private static final String PASSPHRASE = "correct horse battery staple";
  private static final ExecutorService EXECUTOR = Executors.newFixedThreadPool(2);

  @TempDir Path directory;

  @AfterAll
  static void stopExecutor() {
    EXECUTOR.shutdownNow();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 65535, 65536, 65537, 131072, LARGE})
  void age_reads_what_we_seal_to_a_recipient(int size) throws Exception {
    Path plain = plain(size);
    try (AgeIdentity identity = AgeIdentity.generate()) {
      identity.writeTo(file("owner.txt"));
      for (Age format : List.of(Age.format(), Age.parallel(EXECUTOR, 2))) {
        Files.deleteIfExists(file("sealed.age"));
        AgeFile.encrypt(format, plain, file("sealed.age"), List.of(identity.recipient()));

        // age -o makes no file for an empty text; a shell does.
        run("sh", "-c", "age -d -i owner.txt sealed.age > again");

        assertEquals(-1, Files.mismatch(plain, file("again")));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 65535, 65536, 65537, 131072, LARGE})
  void we_open_what_age_seals_to_a_recipient(int size) throws Exception {
    Path plain = plain(size);
    run("age-keygen", "-o", "owner.txt");
    try (AgeIdentity identity = AgeIdentity.file(file("owner.txt"))) {
      run("age", "-r", identity.recipient().text(), "-o", "sealed.age", "plain");
      for (Age format : List.of(Age.format(), Age.parallel(EXECUTOR, 2))) {
        Files.deleteIfExists(file("again"));

        AgeFile.decrypt(format, file("sealed.age"), file("again"), List.of(identity));

        assertEquals(-1, Files.mismatch(plain, file("again")));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 65535, 65536, 65537, 131072, LARGE})
  void age_reads_what_we_seal_under_a_passphrase(int size) throws Exception {
    Path plain = plain(size);
    AgeRecipient recipient = AgeRecipient.passphrase(Secret.of(PASSPHRASE));
    AgeFile.encrypt(Age.format(), plain, file("sealed.age"), List.of(recipient));

    runWithPassphrase("age -d sealed.age > again");

    assertEquals(-1, Files.mismatch(plain, file("again")));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 65535, 65536, 65537, 131072, LARGE})
  void we_open_what_age_seals_under_a_passphrase(int size) throws Exception {
    Path plain = plain(size);
    runWithPassphrase("age -p -o sealed.age plain");
    try (AgeIdentity identity = AgeIdentity.passphrase(Secret.of(PASSPHRASE))) {
      AgeFile.decrypt(Age.format(), file("sealed.age"), file("again"), List.of(identity));
    }

    assertEquals(-1, Files.mismatch(plain, file("again")));
  }

  @Test
  void we_open_what_age_seals_in_armor() throws Exception {
    Path plain = plain(200_000);
    try (AgeIdentity identity = AgeIdentity.generate()) {
      run("age", "-a", "-r", identity.recipient().text(), "-o", "sealed.age", "plain");

      AgeFile.decrypt(Age.format(), file("sealed.age"), file("again"), List.of(identity));

      assertEquals(-1, Files.mismatch(plain, file("again")));
      Path armored =
          Files.writeString(
              file("ours.age"),
              AgeArmor.encode(AgeArmor.decode(Files.readString(file("sealed.age")))));
      assertEquals(-1, Files.mismatch(file("sealed.age"), armored));
    }
  }

  @Test
  void each_of_several_recipients_reads_what_we_seal() throws Exception {
    Path plain = plain(1000);
    run("age-keygen", "-o", "one.txt");
    run("age-keygen", "-o", "two.txt");
    try (AgeIdentity one = AgeIdentity.file(file("one.txt"));
        AgeIdentity two = AgeIdentity.file(file("two.txt"))) {
      AgeFile.encrypt(
          Age.format(), plain, file("sealed.age"), List.of(one.recipient(), two.recipient()));
    }
    for (String identity : List.of("one.txt", "two.txt")) {
      run("age", "-d", "-i", identity, "-o", "again", "sealed.age");
      assertEquals(-1, Files.mismatch(plain, file("again")));
    }
  }

  @Test
  void age_reads_what_we_seal_to_a_post_quantum_recipient() throws Exception {
    Path plain = plain(100_000);
    try (AgeIdentity one = AgeIdentity.generatePostQuantum();
        AgeIdentity two = AgeIdentity.generatePostQuantum()) {
      one.writeTo(file("one.txt"));
      two.writeTo(file("two.txt"));
      AgeFile.encrypt(
          Age.format(), plain, file("sealed.age"), List.of(one.recipient(), two.recipient()));
      assertEquals(
          one.recipient().text() + "\n", run("age-keygen", "-y", file("one.txt").toString()));
    }
    for (String identity : List.of("one.txt", "two.txt")) {
      Files.deleteIfExists(file("again"));
      run("age", "-d", "-i", identity, "-o", "again", "sealed.age");
      assertEquals(-1, Files.mismatch(plain, file("again")));
    }
  }

  @Test
  void we_open_what_age_seals_to_a_post_quantum_recipient() throws Exception {
    Path plain = plain(100_000);
    run("age-keygen", "-pq", "-o", "owner.txt");
    try (AgeIdentity identity = AgeIdentity.file(file("owner.txt"));
        AgeIdentity other = AgeIdentity.generatePostQuantum()) {
      run(
          "age",
          "-r",
          other.recipient().text(),
          "-r",
          identity.recipient().text(),
          "-o",
          "sealed.age",
          "plain");

      AgeFile.decrypt(Age.format(), file("sealed.age"), file("again"), List.of(identity));

      assertEquals(-1, Files.mismatch(plain, file("again")));
    }
  }

  @Test
  void age_keygen_knows_the_recipient_of_our_identity_file() throws Exception {
    try (AgeIdentity identity = AgeIdentity.generate()) {
      identity.writeTo(file("owner.txt"));

      assertEquals(
          identity.recipient().text() + "\n",
          run("age-keygen", "-y", file("owner.txt").toString()));
    }
  }

  @Test
  void age_decrypts_with_our_identity_file_under_a_passphrase() throws Exception {
    Path plain = plain(1000);
    try (AgeIdentity identity = AgeIdentity.generate()) {
      identity.writeTo(file("identity.age"), Secret.of(PASSPHRASE));
      AgeFile.encrypt(Age.format(), plain, file("sealed.age"), List.of(identity.recipient()));
    }

    runWithPassphrase("age -d -i identity.age -o again sealed.age");

    assertEquals(-1, Files.mismatch(plain, file("again")));
  }

  @Test
  void age_refuses_what_we_cut() throws Exception {
    Path plain = plain(200_000);
    try (AgeIdentity identity = AgeIdentity.generate()) {
      identity.writeTo(file("owner.txt"));
      AgeFile.encrypt(Age.format(), plain, file("sealed.age"), List.of(identity.recipient()));
    }
    byte[] sealed = Files.readAllBytes(file("sealed.age"));
    Files.write(file("cut.age"), AgeBytes.slice(sealed, 0, sealed.length - 1));

    assertNotEquals(0, start("age", "-d", "-i", "owner.txt", "-o", "again", "cut.age").waitFor());
  }

  @Test
  void ssh_keygen_verifies_what_a_writer_signs() throws Exception {
    byte[] message = AgeBytes.plain(10_000);
    Files.write(file("message"), message);
    try (WriterKeys keys = WriterKeyFile.at(file("writer.key")).named("host-a").open()) {
      Files.writeString(file("message.sig"), keys.sign("stella-backup-v1", message));
      Files.writeString(
          file("allowed_signers"),
          "host-a namespaces=\"stella-backup-v1\" " + keys.id().publicKey() + "\n");
    }

    String verify = "ssh-keygen -Y verify -f allowed_signers -I %s -n %s -s message.sig < message";
    String output = run("sh", "-c", verify.formatted("host-a", "stella-backup-v1"));

    assertTrue(output.startsWith("Good \"stella-backup-v1\" signature for host-a"), output);
    assertNotEquals(0, start("sh", "-c", verify.formatted("host-b", "stella-backup-v1")).waitFor());
    assertNotEquals(0, start("sh", "-c", verify.formatted("host-a", "file")).waitFor());
    message[5] ^= 1;
    Files.write(file("message"), message);
    assertNotEquals(0, start("sh", "-c", verify.formatted("host-a", "stella-backup-v1")).waitFor());
  }

  private Path file(String name) {
    return directory.resolve(name);
  }

  private Path plain(int size) throws IOException {
    var random = new Random(size);
    byte[] block = new byte[1024 * 1024];
    try (OutputStream out = Files.newOutputStream(file("plain"))) {
      for (int left = size; left > 0; left -= block.length) {
        random.nextBytes(block);
        out.write(block, 0, Math.min(left, block.length));
      }
    }
    return file("plain");
  }

  private String run(String... command) throws Exception {
    Process process = start(command);
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output;
  }

  /** age asks a terminal, not its input: script(1) gives it one, and types for us. */
  private void runWithPassphrase(String command) throws Exception {
    Process process = start("script", "-qec", command, "/dev/null");
    OutputStream terminal = process.getOutputStream();
    terminal.write((PASSPHRASE + "\n" + PASSPHRASE + "\n").getBytes(UTF_8));
    terminal.flush(); // stays open: at its end script would type an end of file
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, process.waitFor(), output);
  }

  private Process start(String... command) throws IOException {
    return new ProcessBuilder(command)
        .directory(directory.toFile())
        .redirectErrorStream(true)
        .start();
  }
}
