package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.EpochHeader;
import org.stellaops.backup.model.LogHead;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Limits;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.testkit.MemorySink;

/** What {@code docs/guide/keys.md} tells people to do, done from beginning to end. */
class KeyProceduresIT {
  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private final BytesSource source = BytesSource.of("a", Fixture.random(1, 60_000));
  private final List<AgeIdentity> identities = new ArrayList<>();
  private AgeIdentity ops;
  private AgeIdentity escrow;
  private WriterKeyFile admin;
  private Trust trust;

  @BeforeEach
  void oneSnapshot() throws IOException {
    ops = generate();
    escrow = generate();
    admin = keys("ops-admin");
    trust =
        Trust.owner(keys("host-a").id())
            .and(Trust.writers(keys("host-b").id()))
            .and(new Trust(List.of(new Trust.Signer(List.of("admin"), admin.id().publicKey()))));
    backUp("host-a", "before", ops.recipient(), escrow.recipient());
  }

  @AfterEach
  void wipe() {
    identities.forEach(AgeIdentity::close);
  }

  private AgeIdentity generate() throws IOException {
    AgeIdentity identity = AgeIdentity.generate();
    identities.add(identity);
    return identity;
  }

  private WriterKeyFile keys(String writer) throws IOException {
    WriterKeyFile keys = WriterKeyFile.at(root.resolve(writer + ".key")).named(writer);
    keys.open().close();
    return keys;
  }

  private BackupEngine engine(String writer, Recipient first, Recipient... more)
      throws IOException {
    BackupPlan plan =
        BackupPlan.named("test")
            .source(Host.SOURCE, source)
            .encryptTo(first, more)
            .writer(keys(writer))
            .trust(trust)
            .limits(new Limits(32 << 20, 1, 1, 64 << 10))
            .sink(sink)
            .build();
    return BackupEngine.with(plan).executor(Runnable::run).open();
  }

  private BackupReport backUp(String writer, String name, Recipient first, Recipient... more)
      throws IOException {
    try (BackupEngine engine = engine(writer, first, more)) {
      return engine.backup(BackupRequest.full().named(name));
    }
  }

  private BackupRepository opened(Identity who) throws BackupException {
    return BackupRepository.at(sink).identity(who).trust(trust).executor(Runnable::run).open();
  }

  private void assertReads(Identity who, String snapshot) throws IOException {
    try (BackupRepository repository = opened(who)) {
      Host.assertRestores(repository, SnapshotRef.named(snapshot), source.artifacts());
    }
  }

  private void assertCannotRead(Identity who, String snapshot) {
    assertThrows(BackupException.Crypto.class, () -> assertReads(who, snapshot));
  }

  @Test
  void an_identity_is_lost_and_others_remain() throws Exception {
    AgeIdentity fresh = generate();
    try (BackupEngine engine = engine("host-a", ops.recipient(), escrow.recipient())) {
      for (EpochHeader epoch : engine.keys().epochs()) {
        engine.keys().rewrap(epoch.id(), escrow, fresh.recipient());
      }
    }
    assertReads(fresh, "before");
    backUp("host-a", "after", fresh.recipient(), escrow.recipient());
    assertReads(fresh, "after");
    assertReads(escrow, "after");
    assertCannotRead(ops, "after");
  }

  @Test
  void an_identity_is_lost_and_none_remains() throws Exception {
    AgeIdentity fresh = generate();
    assertCannotRead(fresh, "before");
    try (BackupRepository repository = opened(fresh)) {
      assertTrue(repository.verify(SnapshotRef.named("before")).isIntact());
    }
    assertTrue(backUp("host-a", "after", fresh.recipient()).newBytes() > 0);
    assertReads(fresh, "after");
  }

  @Test
  void an_identity_leaked() throws Exception {
    try (BackupEngine engine = engine("host-a", ops.recipient(), escrow.recipient())) {
      engine.keys().newEpochWithout(ops.recipient().text());
    }
    BackupReport after = backUp("host-a", "after", escrow.recipient());
    assertTrue(after.newBytes() > 0, "what matters is stored anew");
    assertReads(escrow, "after");
    assertCannotRead(ops, "after");
    // What cannot be undone:
    assertReads(ops, "before");
  }

  @Test
  void a_person_is_removed() throws Exception {
    an_identity_leaked();
    try (BackupEngine engine = engine("host-a", escrow.recipient())) {
      List<EpochHeader> epochs = engine.keys().epochs();
      assertEquals(List.of(escrow.recipient().text()), epochs.get(epochs.size() - 1).readers());
    }
    assertEquals(0, backUp("host-a", "later", escrow.recipient()).newBytes());
  }

  private void seal(String writer) throws IOException {
    try (BackupRepository repository =
        BackupRepository.at(sink).trust(trust).signedBy(admin).open()) {
      repository.keys().seal(writer, "replaced");
    }
  }

  @Test
  void a_writers_keys_are_lost() throws Exception {
    Files.delete(root.resolve("host-a.key"));
    seal("host-a");
    assertReads(ops, "before");
    assertTrue(
        backUp("host-b", "after", ops.recipient(), escrow.recipient()).newBytes() > 0,
        "a domain of its own");
    assertReads(ops, "after");
    try (BackupRepository repository = opened(ops)) {
      assertTrue(repository.check(Verification.full(ops)).isIntact());
    }
  }

  @Test
  void a_writers_keys_leaked() throws Exception {
    LogHead printed;
    try (BackupRepository repository = opened(ops)) {
      printed = repository.catalog().freshness().get(0).newest();
    }
    seal("host-a");
    var refused =
        assertThrows(
            BackupException.Refused.class,
            () -> backUp("host-a", "thief", ops.recipient(), escrow.recipient()));
    assertEquals(CoreFailure.SEALED, refused.code());
    backUp("host-b", "after", ops.recipient(), escrow.recipient());
    try (BackupRepository repository = opened(ops)) {
      SnapshotRef before = SnapshotRef.named("before");
      assertTrue(repository.verify(before, Verification.stored().expecting(printed)).isIntact());
    }
    assertReads(ops, "after");
  }

  @Test
  void a_copy_of_a_writers_keys_went_astray() throws Exception {
    WriterId astray = keys("host-a").id();
    try (BackupEngine engine = engine("host-a", ops.recipient(), escrow.recipient())) {
      engine.keys().rotateWriter();
      assertEquals(
          0, engine.backup(BackupRequest.full().named("after")).newBytes(), "the same engine");
    }
    assertTrue(!keys("host-a").id().equals(astray));
    assertReads(ops, "after");
  }

  @Test
  void owners_who_are_all_post_quantum_get_epochs_that_are() throws Exception {
    try (AgeIdentity quantum = AgeIdentity.generatePostQuantum()) {
      backUp("host-a", "quantum", quantum.recipient());
      assertReads(quantum, "quantum");
      assertCannotRead(ops, "quantum");
      assertEquals(0, backUp("host-a", "again", quantum.recipient()).newBytes());
      try (BackupEngine engine = engine("host-a", quantum.recipient())) {
        List<EpochHeader> epochs = engine.keys().epochs();
        assertTrue(epochs.get(1).recipient().startsWith("age1pq1"));
        engine.keys().rewrap(epochs.get(0).id(), ops, quantum.recipient());
      }
      assertReads(quantum, "before");
    }
  }
}
