package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.retention.RetentionRules;
import org.stellaops.backup.testkit.MemorySink;

/**
 * A taken-over writer claims to have seen entries in the log of another that never were there. It
 * can be told from a store that was rolled back by who says so, and an administrator takes it back.
 */
class FalseHeadsIT {
  private static final BytesSource FIRST = BytesSource.of("a", Fixture.random(1, 3000));
  private static final BytesSource SECOND = BytesSource.of("a", Fixture.random(2, 3000));
  private static final String NEVER = "0".repeat(64);

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private AgeIdentity owner;
  private Host victim;
  private WriterKeyFile liar;
  private WriterKeyFile admin;
  private WriterKeyFile janitor;
  private Trust trust;

  @BeforeEach
  void twoWriters() throws IOException {
    owner = AgeIdentity.generate();
    victim = new Host(root.resolve("victim"), owner.recipient(), sink).withKeys();
    liar = keys("host-b");
    admin = keys("ops-admin");
    janitor = keys("janitor");
    trust =
        Trust.owner(victim.keys().id())
            .and(Trust.writers(liar.id()))
            .and(
                new Trust(
                    List.of(
                        new Trust.Signer(List.of("admin"), admin.id().publicKey()),
                        new Trust.Signer(List.of("retention"), janitor.id().publicKey()))));
    backUp("n1", FIRST);
    backUp("n2", SECOND);
    BackupPlan plan =
        BackupPlan.named("other")
            .source(Host.SOURCE, FIRST)
            .encryptTo(owner.recipient())
            .writer(liar)
            .trust(trust)
            .sink(sink)
            .build();
    try (BackupEngine engine = BackupEngine.with(plan).executor(Runnable::run).open()) {
      engine.backup(BackupRequest.full().named("m1")).requireGood();
    }
    assertEquals(List.of(), damage());
  }

  @AfterEach
  void wipe() {
    owner.close();
  }

  private WriterKeyFile keys(String name) throws IOException {
    WriterKeyFile keys = WriterKeyFile.at(root.resolve(name + ".key")).named(name);
    keys.open().close();
    return keys;
  }

  private void backUp(String name, BytesSource source) throws IOException {
    BackupPlan plan = victim.plan(sink).source(Host.SOURCE, source).janitor(janitor).build();
    try (BackupEngine engine = victim.with(plan).open()) {
      engine.backup(BackupRequest.full().named(name)).requireGood();
    }
  }

  private BackupRepository.Access access() {
    return BackupRepository.at(sink).identity(owner).trust(trust).executor(Runnable::run);
  }

  private List<Finding> damage() throws IOException {
    try (BackupRepository reader = access().open()) {
      return reader.catalog().damage();
    }
  }

  private static ObjectName name(String log, int slot) {
    return ObjectName.of("log/%s/%010d.entry".formatted(log, slot));
  }

  private String text(ObjectName entry) throws IOException {
    return new String(sink.raw().read(entry), StandardCharsets.US_ASCII);
  }

  private Digest digest(ObjectName entry) throws IOException {
    return Digest.ofContent(sink.raw().read(entry));
  }

  /** The liar's next entry, which says only this. */
  private int claim(String head) throws IOException {
    int slot = 1;
    while (sink.raw().names().contains(name("host-b", slot + 1))) {
      slot++;
    }
    sink.raw()
        .write(
            name("host-b", slot + 1),
            Forgery.after(text(name("host-b", slot)))
                .replace("# kind: .*", "# kind: gossip-" + slot)
                .body("# heads: " + head + "\n")
                .signedBy(liar)
                .getBytes(StandardCharsets.US_ASCII));
    return slot + 1;
  }

  private void seal(int since) throws IOException {
    try (BackupRepository repository = access().signedBy(admin).open()) {
      repository.keys().seal("host-b", since, "taken over");
    }
  }

  private PruneReport prune() throws IOException {
    try (Janitor open =
        Janitor.at(sink)
            .keys(janitor)
            .trust(trust)
            .retain(RetentionRules.of(Pruning.newest(1)).minimumAge(Duration.ZERO))
            .grace(Duration.ZERO)
            .minimumAge(Duration.ZERO)
            .open()) {
      return Pruning.prune(open);
    }
  }

  @Test
  void a_false_head_is_reported_with_the_name_of_who_claims_it() throws Exception {
    int lie = claim("host-a/2 " + NEVER);
    List<Finding> damage = damage();
    assertEquals(1, damage.size(), damage.toString());
    assertEquals(CoreFailure.WENT_BACKWARDS, damage.get(0).code());
    assertEquals(name("host-a", 2).value(), damage.get(0).subject());
    assertTrue(
        damage.get(0).found().contains("entry %d of log host-b".formatted(lie)),
        damage.get(0).found());
  }

  @Test
  void the_victim_backs_up_and_is_restored_whatever_is_claimed_of_it() throws Exception {
    claim("host-a/2 " + NEVER);
    claim("host-a/99 " + NEVER);
    backUp("n3", FIRST);
    try (BackupRepository reader = access().open()) {
      Host.assertRestores(reader, SnapshotRef.named("n2"), SECOND.artifacts());
      Host.assertRestores(reader, SnapshotRef.named("n3"), FIRST.artifacts());
    }
  }

  @Test
  void nothing_of_the_victim_is_deleted_until_the_liar_is_sealed_and_then_it_is() throws Exception {
    int lie = claim("host-a/2 " + NEVER);
    for (int n = 3; n < 6; n++) {
      prune();
      backUp("n" + n, SECOND);
    }
    assertEquals(0, prune().deletedObjects());
    seal(lie);
    assertEquals(List.of(), damage());
    long deleted = 0;
    for (int n = 6; n < 9; n++) {
      PruneReport report = prune();
      assertTrue(report.isOk(), report.toString());
      deleted += report.deletedObjects();
      backUp("n" + n, SECOND);
    }
    assertTrue(deleted > 0);
  }

  @Test
  void what_it_said_before_it_was_taken_over_still_counts() throws Exception {
    claim("host-a/4 " + digest(name("host-a", 4)));
    int lie = claim("host-a/9 " + NEVER);
    seal(lie);
    assertEquals(List.of(), damage());
    sink.raw().remove(name("host-a", 4));
    List<Finding> damage = damage();
    assertTrue(
        damage.stream().anyMatch(f -> f.subject().equals(name("host-a", 4).value())),
        damage.toString());
  }

  @Test
  void a_writer_that_was_ended_for_another_reason_stays_a_witness() throws Exception {
    int claim = claim("host-a/4 " + digest(name("host-a", 4)));
    try (BackupRepository repository = access().signedBy(admin).open()) {
      repository.keys().seal("host-b", "its disk is gone");
    }
    sink.raw().remove(name("host-a", 4));
    assertFalse(damage().isEmpty());
    seal(claim);
    assertEquals(List.of(), damage(), "whoever is sealed already can be disbelieved later");
    int entries = sink.snapshot().size();
    seal(claim);
    assertEquals(entries, sink.snapshot().size(), "once");
  }

  @Test
  void what_a_log_that_was_rolled_back_does_not_name_any_more_is_not_removed() throws Exception {
    claim("host-a/4 " + digest(name("host-a", 4)));
    sink.raw().remove(name("host-a", 4));
    sink.raw().remove(name("host-a", 3));
    assertEquals(0, prune().doomedObjects());
  }

  @Test
  void who_contradicts_itself_harms_nobody_else() throws Exception {
    claim("host-a/4 " + digest(name("host-a", 4)));
    int lie = claim("host-a/2 " + NEVER);
    List<Finding> damage = damage();
    assertEquals(1, damage.size(), damage.toString());
    assertEquals(name("host-b", lie).value(), damage.get(0).subject());
    try (BackupRepository reader = access().open()) {
      assertTrue(reader.verify(SnapshotRef.named("n2")).isIntact());
    }
  }

  @Test
  void what_is_said_of_a_log_for_which_nobody_is_pinned_is_of_no_interest() throws Exception {
    claim("nobody/7 " + NEVER);
    assertEquals(List.of(), damage());
  }

  @Test
  void who_is_no_administrator_takes_nothing_back() throws Exception {
    int lie = claim("host-a/2 " + NEVER);
    try (BackupRepository repository = access().signedBy(janitor).open()) {
      var refused =
          assertThrows(
              BackupException.Refused.class,
              () -> repository.keys().seal("host-b", lie, "because"));
      assertEquals(CoreFailure.UNTRUSTED_WRITER, refused.code());
    }
    try (BackupRepository repository = access().signedBy(admin).open()) {
      var none =
          assertThrows(
              BackupException.Refused.class,
              () -> repository.keys().seal("host-b", lie + 1, "because"));
      assertEquals(CoreFailure.NOT_FOUND, none.code());
    }
    assertFalse(damage().isEmpty());
  }
}
