package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.bundle.BundleFile;
import org.stellaops.backup.bundle.BundleReport;
import org.stellaops.backup.bundle.BundleRequest;
import org.stellaops.backup.bundle.OfflineBundle;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.AgeRecipient;
import org.stellaops.backup.crypto.PassphraseFile;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoredObject;
import org.stellaops.backup.testkit.MemorySink;

/** A repository in one file: made without a key, opened with one, and nothing of it believed. */
class OfflineBundleIT {
  private static final SnapshotRef SECOND = SnapshotRef.named("second");
  private static final String PASSPHRASE = "correct horse battery staple";

  @TempDir Path directory;

  private final MemorySink sink = new MemorySink();
  private final BytesSource second = BytesSource.of("a", Fixture.random(2, 400_000));
  private AgeIdentity owner;
  private Host host;

  @BeforeEach
  void twoSnapshots() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(directory.resolve("host"), owner.recipient(), sink).withKeys();
    host.backUp(BytesSource.of("a", Fixture.random(1, 300_000)), "first").requireGood();
    host.backUp(second, "second").requireGood();
  }

  @AfterEach
  void nothingIsOpen() {
    owner.close();
    sink.assertNothingOpen();
  }

  private Path file() {
    return directory.resolve("stellaops-backup-20261120.enc");
  }

  private BundleReport write(BundleRequest request) throws IOException {
    try (BackupRepository repository =
        BackupRepository.at(sink).trust(trust()).executor(Runnable::run).open()) {
      return repository.writeBundle(request);
    }
  }

  private Trust trust() throws IOException {
    return Trust.owner(host.keys().id());
  }

  private BackupRepository open(Identity... identities) throws IOException {
    var access = BackupRepository.at(OfflineBundle.at(file())).trust(trust());
    for (Identity identity : identities) {
      access.identity(identity);
    }
    return access.open();
  }

  private static FailureCode codeOf(Executable step) {
    return assertThrows(BackupException.class, step).code();
  }

  private static List<String> names(BackupRepository repository) throws BackupException {
    return repository.catalog().list(SnapshotFilter.all()).stream()
        .map(s -> s.name().value())
        .toList();
  }

  @Test
  void a_host_without_an_identity_makes_one_and_an_empty_machine_gets_everything_back()
      throws Exception {
    BundleReport report = write(BundleRequest.of(file(), SECOND).label("vault-7"));

    assertEquals(List.of(file()), report.volumes().stream().map(v -> v.file()).toList());
    try (BackupRepository bundle = open(owner)) {
      assertEquals(StoreRole.BUNDLE, bundle.role());
      assertEquals("vault-7", bundle.label());
      assertEquals(List.of("second"), names(bundle));
      assertEquals(List.of(), bundle.catalog().damage());
      assertFalse(bundle.catalog().notHeld().isEmpty());
      var check = bundle.check(Verification.full(owner));
      assertTrue(check.isIntact(), check.toString());
      Host.assertRestores(bundle, SECOND, second.artifacts());
    }
  }

  @Test
  void it_is_cut_into_volumes_of_which_each_is_small_enough() throws Exception {
    BundleReport report =
        write(BundleRequest.of(file(), SECOND, SnapshotRef.named("first")).volumeBytes(100_000));
    assertTrue(report.volumes().size() > 5, report.toString());
    assertTrue(report.volumes().stream().allMatch(v -> v.sizeBytes() <= 100_000));
    try (BackupRepository bundle = open(owner)) {
      assertEquals(List.of("second", "first"), names(bundle));
      Host.assertRestores(bundle, SECOND, second.artifacts());
    }
  }

  @Test
  void a_bundle_of_a_bundle_is_the_same_repository() throws Exception {
    write(BundleRequest.of(file(), SECOND, SnapshotRef.named("first")));
    Path other = directory.resolve("other.enc");
    try (BackupRepository bundle = open()) {
      bundle.writeBundle(BundleRequest.of(other, SECOND));
    }
    try (BackupRepository again =
        BackupRepository.at(OfflineBundle.at(other)).identity(owner).trust(trust()).open()) {
      assertEquals(List.of("second"), names(again));
      Host.assertRestores(again, SECOND, second.artifacts());
    }
  }

  @Test
  void a_passphrase_from_a_file_opens_it_and_only_there() throws Exception {
    Path passphraseFile = directory.resolve("backup-key");
    Files.writeString(passphraseFile, PASSPHRASE + "\n");
    assertSame(CoreFailure.KEY_FILE_EXPOSED, codeOf(() -> PassphraseFile.read(passphraseFile)));
    Files.setPosixFilePermissions(passphraseFile, PosixFilePermissions.fromString("rw-------"));
    int keysBefore = keys(sink.open(StoreContext.system()));
    try (Secret passphrase = PassphraseFile.read(passphraseFile)) {
      write(
          BundleRequest.of(file(), SECOND)
              .openedBy(List.of(AgeRecipient.passphrase(passphrase)), owner));
    }
    assertEquals(keysBefore, keys(sink.open(StoreContext.system())), "the repository's own keys");

    try (Secret passphrase = PassphraseFile.read(passphraseFile);
        AgeIdentity identity = AgeIdentity.passphrase(passphrase);
        BackupRepository bundle = open(identity)) {
      Host.assertRestores(bundle, SECOND, second.artifacts());
    }
    try (BackupRepository bundle = open(owner)) {
      Host.assertRestores(bundle, SECOND, second.artifacts());
    }
    try (Secret wrong = Secret.of("incorrect".toCharArray());
        AgeIdentity identity = AgeIdentity.passphrase(wrong);
        BackupRepository bundle = open(identity)) {
      FailureCode code = codeOf(() -> bundle.contents(SECOND));
      assertTrue(
          List.of(CoreFailure.WRONG_PASSPHRASE, CoreFailure.WRONG_KEY).contains((CoreFailure) code),
          code.toString());
    }
  }

  private static int keys(ReadableStore store) throws IOException {
    try (store) {
      return store.list("keys/", PageToken.START).objects().size();
    }
  }

  @Test
  void who_has_no_identity_cannot_let_others_open_it_and_leaves_nothing() throws Exception {
    try (Secret passphrase = Secret.of(PASSPHRASE.toCharArray());
        AgeIdentity stranger = AgeIdentity.generate()) {
      List<AgeRecipient> more = List.of(AgeRecipient.passphrase(passphrase));
      BundleRequest request = BundleRequest.of(file(), SECOND);
      assertSame(CoreFailure.KEY_UNAVAILABLE, codeOf(() -> write(request.openedBy(more))));
      assertSame(CoreFailure.WRONG_KEY, codeOf(() -> write(request.openedBy(more, stranger))));
    }
    try (Stream<Path> files = Files.list(directory)) {
      assertEquals(List.of(directory.resolve("host")), files.toList());
    }
  }

  @Test
  void without_a_key_it_is_verified_and_without_a_pinned_writer_not_authenticated()
      throws Exception {
    write(BundleRequest.of(file(), SECOND));
    assertEquals(List.of(), OfflineBundle.at(file()).damage());
    try (BackupRepository bundle = open()) {
      assertEquals(Verdict.INTACT, bundle.verify(SECOND).verdict());
    }
    try (BackupRepository bundle = BackupRepository.at(OfflineBundle.at(file())).open()) {
      assertEquals(Verdict.INTACT_UNAUTHENTICATED, bundle.verify(SECOND).verdict());
    }
    Trust enclosed =
        Trust.allowedSigners(new String(read("allowed_signers"), StandardCharsets.US_ASCII));
    try (BackupRepository bundle =
        BackupRepository.at(OfflineBundle.at(file())).trust(enclosed).open()) {
      assertEquals(Verdict.INTACT, bundle.verify(SECOND).verdict());
    }
  }

  private byte[] read(String name) throws IOException {
    try (ReadableStore store = OfflineBundle.at(file()).open(StoreContext.system());
        InputStream in = store.open(ObjectName.of(name), ByteRange.ALL)) {
      return in.readAllBytes();
    }
  }

  @Test
  void damage_truncation_a_wrong_key_and_a_newer_format_are_told_apart() throws Exception {
    write(BundleRequest.of(file(), SECOND));
    byte[] whole = Files.readAllBytes(file());

    byte[] damaged = whole.clone();
    damaged[whole.length / 2] ^= 1;
    Files.write(file(), damaged);
    List<Finding> findings = OfflineBundle.at(file()).damage();
    assertEquals(1, findings.size());
    assertTrue(findings.get(0).subject().contains("/packs/"), findings.toString());
    try (BackupRepository bundle = open(owner)) {
      assertSame(CoreFailure.CORRUPT_OBJECT, codeOf(() -> bundle.verify(SECOND)));
    }

    Files.write(file(), Arrays.copyOf(whole, whole.length / 2));
    assertSame(CoreFailure.TRUNCATED, codeOf(this::open));

    Files.write(file(), whole);
    try (AgeIdentity stranger = AgeIdentity.generate();
        BackupRepository bundle = open(stranger)) {
      assertSame(CoreFailure.WRONG_KEY, codeOf(() -> bundle.contents(SECOND)));
    }

    Files.delete(file());
    try (BundleFile newer = BundleFile.create(file());
        ObjectStore store = newer.sink().open(StoreContext.system())) {
      store.put(
          ObjectName.of("repository.json"),
          ObjectBody.of("{\"format\":2}".getBytes(StandardCharsets.US_ASCII)));
      newer.publish();
    }
    assertSame(CoreFailure.UNSUPPORTED_FORMAT, codeOf(this::open));

    Files.delete(file());
    assertSame(CoreFailure.MEDIUM_GONE, codeOf(this::open));
  }

  @Test
  void a_repository_that_is_damaged_makes_no_bundle() throws Exception {
    ObjectName pack =
        sink.raw().names().stream()
            .filter(n -> n.value().contains("/packs/"))
            .reduce((a, b) -> b)
            .get();
    byte[] bytes = sink.raw().read(pack);
    bytes[bytes.length / 2] ^= 1;
    sink.raw().write(pack, bytes);

    var e =
        assertThrows(
            BackupException.Corrupt.class,
            () -> write(BundleRequest.of(file(), SECOND, SnapshotRef.named("first"))));
    assertEquals(List.of(pack.value()), e.damage().stream().map(Finding::subject).toList());
    assertSame(CoreFailure.MEDIUM_GONE, codeOf(() -> OfflineBundle.at(file()).files()));
  }

  @Test
  void a_host_that_may_only_write_puts_a_fresh_snapshot_into_a_bundle_for_a_passphrase()
      throws Exception {
    BytesSource fresh = BytesSource.of("a", Fixture.random(3, 500_000));
    WriterKeyFile keys =
        WriterKeyFile.at(directory.resolve("bundle-writer.key")).named("host-a-offline");
    try (Secret passphrase = Secret.of(PASSPHRASE.toCharArray());
        BundleFile bundle = BundleFile.create(file())) {
      keys.open().close();
      bundle.addRecovery(Trust.owner(keys.id()), List.of());
      BackupPlan plan =
          BackupPlan.named("offline")
              .source(Host.SOURCE, fresh)
              .encryptTo(AgeRecipient.passphrase(passphrase))
              .writer(keys)
              .sink(bundle.sink())
              .build();
      try (BackupEngine engine = BackupEngine.open(plan)) {
        engine.backup(BackupRequest.full().named("fresh")).requireGood();
      }
      bundle.publish();
    }
    try (Secret passphrase = Secret.of(PASSPHRASE.toCharArray());
        AgeIdentity identity = AgeIdentity.passphrase(passphrase);
        BackupRepository bundle =
            BackupRepository.at(OfflineBundle.at(file()))
                .identity(identity)
                .trust(Trust.owner(keys.id()))
                .open()) {
      assertEquals(List.of(), bundle.catalog().damage());
      Host.assertRestores(bundle, SnapshotRef.named("fresh"), fresh.artifacts());
    }
    assertFalse(new String(read("RECOVERY.md"), StandardCharsets.UTF_8).contains("@"));
  }

  @Test
  void entries_stand_behind_everything_that_they_name() throws Exception {
    write(BundleRequest.of(file(), SECOND));
    boolean isBehindEntries = false;
    try (ReadableStore store = OfflineBundle.at(file()).open(StoreContext.system())) {
      List<StoredObject> inOrder =
          store.list("", PageToken.START).objects().stream()
              .sorted(Comparator.comparing(o -> Long.parseLong(o.version().substring(3))))
              .toList();
      assertEquals("sink.json", inOrder.get(0).name().value());
      for (StoredObject object : inOrder) {
        boolean isEntry = object.name().value().startsWith("log/");
        assertTrue(
            isEntry || !isBehindEntries || object.name().value().equals("SHA256SUMS"),
            object.name().value());
        isBehindEntries |= isEntry;
      }
    }
    assertArrayEquals(
        Digest.ofContent(read("repository.json")).bytes(),
        Digest.ofContent(sink.raw().read(ObjectName.of("repository.json"))).bytes());
  }
}
