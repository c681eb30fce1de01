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
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Freshness;
import org.stellaops.backup.model.LogHead;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.VerificationReport;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.WriterKeys;
import org.stellaops.backup.testkit.MemorySink;

/**
 * An attacker who has a writer's keys and its access to the store, and even may replace and delete
 * what is in its log.
 */
class TakenOverWriterIT {
  private static final ObjectName FIRST = name("host-a", 2);
  private static final ObjectName SECOND = name("host-a", 4);

  @TempDir Path root;
  private DamagedRepository victim;
  private MemorySink sink;

  @BeforeEach
  void twoSnapshots() throws IOException {
    victim = new DamagedRepository(root);
    victim.fill(
        BytesSource.of("a", Fixture.random(1, 300)), BytesSource.of("a", Fixture.random(2, 300)));
    sink = victim.sink;
  }

  @AfterEach
  void wipe() {
    victim.close();
  }

  private static ObjectName name(String log, int slot) {
    return ObjectName.of("log/%s/%010d.entry".formatted(log, slot));
  }

  private String text(ObjectName entry) throws IOException {
    return new String(sink.raw().read(entry), StandardCharsets.US_ASCII);
  }

  private void write(ObjectName name, String text) throws IOException {
    sink.raw().write(name, text.getBytes(StandardCharsets.US_ASCII));
  }

  /** The log is whole in itself, and says something else. */
  private void rewriteSecond() throws IOException {
    write(
        SECOND,
        Forgery.same(text(SECOND))
            .replace("# nonce: .*", "# nonce: " + "0".repeat(32))
            .signedBy(victim.keys));
  }

  private void dropSecond() throws IOException {
    sink.raw().remove(SECOND);
    sink.raw().remove(name("host-a", 3));
  }

  private LogHead printed() throws IOException {
    try (BackupRepository opened = victim.open()) {
      List<Freshness> fresh = opened.catalog().freshness();
      assertEquals(1, fresh.size());
      return LogHead.parse(fresh.get(0).newest().toString());
    }
  }

  private void assertNoticed(BackupRepository reader, ObjectName entry) throws IOException {
    List<Finding> damage = reader.catalog().damage();
    assertTrue(
        damage.stream()
            .anyMatch(
                f -> f.code() == CoreFailure.WENT_BACKWARDS && f.subject().equals(entry.value())),
        damage.toString());
  }

  @Test
  void what_a_writer_has_opens_no_older_snapshot() throws Exception {
    try (WriterKeys stolen = victim.keys.open();
        BackupRepository opened =
            BackupRepository.at(sink)
                .identity(stolen.stateIdentity())
                .trust(Trust.owner(victim.writer))
                .open()) {
      for (var snapshot : opened.catalog().list(SnapshotFilter.all())) {
        assertThrows(BackupException.Crypto.class, () -> opened.contents(snapshot.id()));
      }
    }
  }

  @Test
  void what_it_alters_or_drops_is_noticed_by_whoever_saw_the_log_before() throws Exception {
    victim
        .access()
        .workspace(victim.workspace("reader"))
        .open()
        .catalog()
        .list(SnapshotFilter.all());
    rewriteSecond();
    try (BackupRepository reader = victim.access().workspace(victim.workspace("reader")).open()) {
      assertNoticed(reader, SECOND);
    }
    dropSecond();
    try (BackupRepository reader = victim.access().workspace(victim.workspace("reader")).open()) {
      assertNoticed(reader, SECOND);
    }
  }

  @Test
  void what_it_alters_or_drops_is_noticed_by_what_another_log_says() throws Exception {
    assertTrue(text(name("verify", 2)).contains("\n# heads: host-a/4 "));
    rewriteSecond();
    try (BackupRepository empty = victim.open()) {
      assertNoticed(empty, SECOND);
    }
    dropSecond();
    try (BackupRepository empty = victim.open()) {
      assertNoticed(empty, SECOND);
      assertFalse(empty.check(Verification.stored()).isIntact());
    }
  }

  @Test
  void what_it_reorders_breaks_the_chain() throws Exception {
    String first = text(FIRST);
    String second = text(SECOND);
    write(FIRST, second);
    write(SECOND, first);
    try (BackupRepository empty = victim.open()) {
      assertTrue(
          empty.catalog().damage().stream().anyMatch(f -> f.code() == CoreFailure.CHAIN_BROKEN));
      assertEquals(List.of(), empty.catalog().list(SnapshotFilter.all()));
    }
  }

  @Test
  void what_it_alters_is_noticed_by_a_head_that_was_printed_or_stands_in_a_copy() throws Exception {
    LogHead printed = printed();
    MemorySink copy = victim.copy();
    SnapshotRef first = SnapshotRef.named("snapshot-1");
    Verification expecting = Verification.stored().expecting(printed);
    try (BackupRepository empty = victim.open()) {
      assertTrue(empty.verify(first, expecting).isIntact());
    }
    for (ObjectName name : victim.named("log/verify/")) {
      sink.raw().remove(name);
    }
    for (Damaging attack : List.<Damaging>of(this::rewriteSecond, this::dropSecond)) {
      attack.run();
      try (BackupRepository empty = victim.open()) {
        assertTrue(empty.verify(first).isIntact(), "nothing else in the store tells");
        var corrupt =
            assertThrows(BackupException.Corrupt.class, () -> empty.verify(first, expecting));
        assertEquals(CoreFailure.WENT_BACKWARDS, corrupt.code());
      }
    }
    try (BackupRepository other = victim.open(copy)) {
      assertEquals(printed, other.catalog().freshness().get(0).newest());
      assertTrue(other.verify(first, expecting).isIntact());
    }
  }

  /** Something that the attacker does. */
  @FunctionalInterface
  private interface Damaging {
    void run() throws IOException;
  }

  @Test
  void a_reader_who_never_saw_the_store_is_told_that_its_freshness_is_unproven() throws Exception {
    try (BackupRepository empty = victim.open()) {
      VerificationReport report = empty.verify(SnapshotRef.named("snapshot-2"));
      assertEquals(Verdict.INTACT, report.verdict());
      assertTrue(report.freshness().get(0).toString().endsWith("freshness unproven"));
      assertTrue(report.freshness().get(0).toString().startsWith("newest seen: host-a/4 "));
    }
    try (BackupRepository reader = victim.access().workspace(victim.workspace("second")).open()) {
      reader.catalog().list(SnapshotFilter.all());
    }
    try (BackupRepository again = victim.access().workspace(victim.workspace("second")).open()) {
      assertEquals(Freshness.Evidence.REMEMBERED, again.catalog().freshness().get(0).evidence());
    }
  }

  @Test
  void a_log_that_ends_too_long_ago_is_not_called_intact() throws Exception {
    SnapshotRef first = SnapshotRef.named("snapshot-1");
    try (BackupRepository empty = victim.open()) {
      assertTrue(
          empty.verify(first, Verification.stored().notOlderThan(Duration.ofHours(2))).isIntact());
    }
    dropSecond();
    for (ObjectName name : victim.named("log/verify/")) {
      sink.raw().remove(name);
    }
    try (BackupRepository empty = victim.open()) {
      var corrupt =
          assertThrows(
              BackupException.Corrupt.class,
              () ->
                  empty.verify(first, Verification.stored().notOlderThan(Duration.ofMinutes(90))));
      assertEquals(CoreFailure.STALE, corrupt.code());
    }
  }

  @Test
  void what_it_plants_gets_into_no_other_writers_backup() throws Exception {
    WriterKeyFile keys = WriterKeyFile.at(root.resolve("host-b.key")).named("host-b");
    keys.open().close();
    BytesSource content = BytesSource.of("b", Fixture.random(3, 50_000));
    backUpAs(keys, "other-1", content);
    for (String folder : List.of("packs/aa/", "state/", "manifests/")) {
      byte[] junk = Fixture.random(4, 100);
      String object = Digest.ofContent(junk).hex() + "-100.age";
      sink.raw().write(ObjectName.of("w/host-b/" + folder + object), junk);
    }
    write(name("host-c", 1), Forgery.first(text(SECOND), "host-c").signedBy(victim.keys));
    assertEquals(0, backUpAs(keys, "other-2", content).newBytes());
    write(name("host-b", 5), Forgery.after(text(name("host-b", 4))).signedBy(victim.keys));
    Trust both = Trust.owner(victim.writer).and(Trust.writers(keys.id()));
    try (BackupRepository opened =
        BackupRepository.at(sink).identity(victim.owner).trust(both).open()) {
      Host.assertRestores(opened, SnapshotRef.named("other-2"), content.artifacts());
      assertEquals(
          List.of("other-1", "other-2"),
          opened.catalog().list(SnapshotFilter.all()).stream()
              .filter(s -> s.writer().equals("host-b"))
              .map(s -> s.name().value())
              .sorted()
              .toList());
      assertTrue(
          opened.catalog().damage().stream()
              .anyMatch(
                  f ->
                      f.code() == CoreFailure.UNTRUSTED_WRITER
                          && f.subject().equals(name("host-b", 5).value())));
    }
  }

  private BackupReport backUpAs(WriterKeyFile keys, String name, BytesSource content)
      throws IOException {
    BackupPlan plan =
        BackupPlan.named("other")
            .source(Host.SOURCE, content)
            .encryptTo(victim.owner.recipient())
            .writer(keys)
            .trust(Trust.owner(victim.writer))
            .sink(sink)
            .build();
    try (BackupEngine engine = BackupEngine.with(plan).executor(Runnable::run).open()) {
      return engine.backup(BackupRequest.full().named(name));
    }
  }
}
