package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.IndexReport;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.Progress;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;
import org.stellaops.backup.testkit.MemorySink;

/**
 * A writer whose workspace is gone and whose state in the store is lost makes its index again from
 * its packs. The law: whatever fails or happens meanwhile, the next rebuild finishes it, then a
 * backup stores nothing again, and all that was there is still whole.
 */
class IndexRebuildIT {
  /** More than one part of an index is made of. */
  private static final int SNAPSHOTS = 19;

  private static final int SAMPLES = 2;

  @TempDir static Path root;
  private static MemorySink sink;
  private static AgeIdentity owner;
  private static Host template;
  private static int hosts;
  private static SortedMap<ObjectName, byte[]> before;

  @BeforeAll
  static void everyStateIsLost() throws IOException {
    sink = new MemorySink();
    owner = AgeIdentity.generate();
    template = new Host(next(), owner.recipient(), sink).withKeys();
    for (int n = 1; n <= SNAPSHOTS; n++) {
      backUp(template, n, sink).requireGood();
    }
    for (ObjectName name : sink.raw().names()) {
      if (name.value().startsWith("w/host-a/state/")) {
        sink.raw().remove(name);
      }
    }
    before = sink.snapshot();
  }

  @AfterEach
  void nothingIsOpen() {
    sink.assertNothingOpen();
  }

  @AfterAll
  static void wipe() {
    owner.close();
  }

  private static Path next() {
    return root.resolve("host-" + hosts++);
  }

  private static BytesSource content(int upTo) {
    BytesSource source = new BytesSource("config");
    for (int n = 1; n <= upTo; n++) {
      source.with("part-" + n, Fixture.random(n, 3000));
    }
    return source;
  }

  private static BackupEngine engine(Host host, int parts, BackupSink through) throws IOException {
    return BackupEngine.with(host.plan(through).source(Host.SOURCE, content(parts)).build())
        .executor(Runnable::run)
        .open();
  }

  private static BackupReport backUp(Host host, int parts, BackupSink through) throws IOException {
    try (BackupEngine engine = engine(host, parts, through)) {
      return engine.backup(BackupRequest.full().named("n" + parts));
    }
  }

  private IndexReport plan(Host host) throws IOException {
    try (BackupEngine engine = engine(host, 1, sink)) {
      return engine.planIndexRebuild();
    }
  }

  private IndexReport rebuild(Host host, BackupSink through) throws IOException {
    try (BackupEngine engine = engine(host, 1, through)) {
      return engine.rebuildIndex(owner);
    }
  }

  private Host fresh() throws IOException {
    sink.reset(before);
    return template.copy(next(), sink);
  }

  @Test
  void without_it_what_is_there_is_stored_again() throws Exception {
    Host host = fresh();
    BackupReport report = backUp(host, 40, sink);
    assertTrue(report.newBytes() >= SNAPSHOTS * 3000L);
    assertFalse(report.findings().isEmpty());
  }

  @Test
  void what_is_lost_is_learned_from_the_packs() throws Exception {
    Host host = fresh();
    IndexReport plan = plan(host);
    assertEquals(0, plan.knownPacks());
    assertEquals(SNAPSHOTS, plan.unknownPacks());
    assertEquals(0, plan.readPacks());
    assertFalse(plan.findings().isEmpty(), "the parts that are lost are named");
    assertEquals(before.keySet(), sink.snapshot().keySet(), "a plan changes nothing");
    List<Progress> told = new ArrayList<>();
    try (BackupEngine engine =
        BackupEngine.with(host.plan(sink).source(Host.SOURCE, content(1)).build())
            .executor(Runnable::run)
            .listener(
                new BackupListener() {
                  @Override
                  public void progressed(Progress progress) {
                    told.add(progress);
                  }
                })
            .open()) {
      IndexReport report = engine.rebuildIndex(owner);
      assertEquals(SNAPSHOTS, report.readPacks());
      assertEquals(SNAPSHOTS, report.chunks());
      assertTrue(report.isWhole());
    }
    Progress last = told.get(told.size() - 1);
    assertEquals("rebuild index", last.phase());
    assertEquals(plan.unknownBytes(), last.bytes());
    assertEquals(100, last.percent().getAsInt());
    assertEquals(List.of(), plan(host).findings());
    // Snapshots n1 to n19 are taken, so the next is of as much, under another name.
    assertEquals(0, backUpNamed(host, "again").newBytes());
    assertWhole(host, SNAPSHOTS - 1, 0);
  }

  private BackupReport backUpNamed(Host host, String name) throws IOException {
    try (BackupEngine engine = engine(host, SNAPSHOTS, sink)) {
      return engine.backup(BackupRequest.full().named(name)).requireGood();
    }
  }

  /** Something new, of which the old parts are known. */
  private void assertWhole(Host host, int known, int seed) throws IOException {
    BytesSource source = content(known).with("new-" + seed, Fixture.random(1000 + seed, 3000));
    BackupReport report;
    try (BackupEngine engine =
        BackupEngine.with(host.plan(sink).source(Host.SOURCE, source).build())
            .executor(Runnable::run)
            .open()) {
      report = engine.backup(BackupRequest.full());
    }
    assertEquals(Outcome.GOOD, report.outcome(), report.findings().toString());
    assertTrue(report.newBytes() > 0 && report.newBytes() < 2 * 3000, report.toString());
    try (BackupRepository repository = host.repository(owner)) {
      Host.assertRestores(repository, report.snapshot(), source.artifacts());
      Host.assertRestores(
          repository, SnapshotRef.named("n" + SNAPSHOTS), content(SNAPSHOTS).artifacts());
    }
  }

  @Test
  void nothing_is_read_that_no_signed_entry_names() throws Exception {
    Host host = fresh();
    String pack =
        before.keySet().stream()
            .map(ObjectName::value)
            .filter(n -> n.startsWith("w/host-a/packs/"))
            .findFirst()
            .orElseThrow();
    byte[] planted = sink.raw().read(ObjectName.of(pack)).clone();
    planted[planted.length - 1] ^= 1;
    String digest = Digest.ofContent(planted).hex();
    sink.raw()
        .write(
            ObjectName.of(
                "w/host-a/packs/%s/%s-%d.age"
                    .formatted(digest.substring(0, 2), digest, planted.length)),
            planted);
    IndexReport report = rebuild(host, sink);
    assertEquals(SNAPSHOTS, report.readPacks());
    assertTrue(report.isWhole());
  }

  @Test
  void a_pack_that_is_damaged_is_named_and_only_what_it_holds_is_stored_again() throws Exception {
    Host host = fresh();
    ObjectName damaged =
        before.keySet().stream()
            .filter(n -> n.value().startsWith("w/host-a/packs/"))
            .findFirst()
            .orElseThrow();
    byte[] bytes = sink.raw().read(damaged).clone();
    bytes[bytes.length / 2] ^= 1;
    sink.raw().write(damaged, bytes);
    IndexReport report = rebuild(host, sink);
    assertEquals(SNAPSHOTS - 1, report.readPacks());
    assertFalse(report.isWhole());
    assertTrue(
        report.findings().stream()
            .anyMatch(
                f ->
                    f.code() == CoreFailure.CORRUPT_OBJECT && f.subject().equals(damaged.value())));
    long again = backUpNamed(host, "again").newBytes();
    assertTrue(again >= 3000 && again < 2 * 3000, "one part of so many: " + again);
  }

  @Test
  void who_cannot_open_the_packs_is_told_so_and_changes_nothing() throws Exception {
    Host host = fresh();
    try (AgeIdentity stranger = AgeIdentity.generate();
        BackupEngine engine = engine(host, 1, sink)) {
      var wrong = assertThrows(BackupException.Crypto.class, () -> engine.rebuildIndex(stranger));
      assertEquals(CoreFailure.WRONG_KEY, wrong.code());
    }
    assertEquals(before.keySet(), sink.snapshot().keySet());
  }

  @Test
  void what_was_learned_stays_when_garbage_is_removed() throws Exception {
    Host host = fresh();
    Pruning pruning = new Pruning(host).withKeys();
    try (BackupEngine engine =
        BackupEngine.with(
                host.plan(sink)
                    .source(Host.SOURCE, content(SNAPSHOTS))
                    .janitor(pruning.keys())
                    .build())
            .executor(Runnable::run)
            .open()) {
      assertTrue(engine.rebuildIndex(owner).isWhole());
      for (int n = 1; n <= 3; n++) {
        assertTrue(pruning.prune(1).isOk());
        assertEquals(0, engine.backup(BackupRequest.full()).requireGood().newBytes());
      }
      PruneReport last = pruning.prune(1);
      assertTrue(last.isOk() && last.deletedObjects() > 0, last.toString());
    }
    try (BackupRepository repository =
        BackupRepository.at(sink).trust(pruning.trust()).executor(Runnable::run).open()) {
      assertEquals(
          List.of(), repository.check(Verification.full(owner)).damage(), "nor is it missed");
    }
  }

  @Test
  void a_rebuild_that_is_stopped_goes_on_where_it_was() throws Exception {
    Host host = fresh();
    int[] opened = {0};
    BackupSink stopping =
        HookedStore.on(
            sink,
            operation -> {
              if (operation.startsWith("open w/host-a/packs/") && ++opened[0] == SNAPSHOTS) {
                Thread.currentThread().interrupt();
              }
            });
    assertThrows(BackupException.Stopped.class, () -> rebuild(host, stopping));
    assertTrue(Thread.interrupted());
    IndexReport rest = rebuild(host, sink);
    assertTrue(rest.knownPacks() >= 16, rest.toString());
    assertEquals(SNAPSHOTS - rest.knownPacks(), rest.readPacks());
    assertWhole(host, SNAPSHOTS, 1);
  }

  private void attempt(Host host, BackupSink through) throws IOException {
    try {
      rebuild(host, through);
    } catch (BackupException.Sink | BackupException.Corrupt e) {
      // It says so.
    }
  }

  private void fault(long operation, When when) throws IOException {
    Host host = fresh();
    FaultPlan plan = FaultPlan.failing(operation, when);
    attempt(host, plan.on(sink));
    assertTrue(plan.hasFired(), plan.toString());
    assertTrue(rebuild(host, sink).isWhole(), plan.toString());
    assertWhole(host, SNAPSHOTS, 2);
  }

  /** As after a crash: nothing that follows is done. */
  private void crash(long operation) throws IOException {
    Host host = fresh();
    attempt(host, FaultPlan.failing(operation, When.BEFORE).andEverAfter().on(sink));
    assertTrue(rebuild(host, sink).isWhole());
    assertWhole(host, SNAPSHOTS, 3);
  }

  /** A backup of the same writer commits between two operations, with what it knew then. */
  private void commitBefore(long operation) throws IOException {
    Host host = fresh();
    long[] count = {0};
    attempt(
        host,
        HookedStore.on(
            sink,
            what -> {
              if (count[0]++ == operation) {
                backUp(host, SNAPSHOTS + 1, sink);
              }
            }));
    assertTrue(count[0] > operation);
    assertTrue(rebuild(host, sink).isWhole());
    assertWhole(host, SNAPSHOTS + 1, 4);
  }

  /** A rebuild comes between two operations of a backup. */
  private void rebuildBefore(long operation) throws IOException {
    Host host = fresh();
    long[] count = {0};
    backUp(
        host,
        SNAPSHOTS + 1,
        HookedStore.on(
            sink,
            what -> {
              if (count[0]++ == operation) {
                assertTrue(rebuild(host, sink).readPacks() >= SNAPSHOTS);
              }
            }));
    assertTrue(count[0] > operation);
    assertEquals(0, plan(host).unknownPacks(), "before operation " + operation);
    assertWhole(host, SNAPSHOTS + 1, 5);
  }

  private long operationsOfRebuild() throws IOException {
    Host host = fresh();
    FaultPlan none = FaultPlan.none();
    assertTrue(rebuild(host, none.on(sink)).isWhole());
    assertEquals(
        2, none.log().stream().filter(o -> o.startsWith("put log/host-a/")).count(), "two parts");
    return none.operations();
  }

  private long operationsOfBackup() throws IOException {
    FaultPlan none = FaultPlan.none();
    backUp(fresh(), SNAPSHOTS + 1, none.on(sink));
    return none.operations();
  }

  @Test
  @Tag("soak")
  void nothing_that_fails_or_happens_meanwhile_spoils_it() throws Exception {
    long operations = operationsOfRebuild();
    for (long n = 0; n < operations; n++) {
      for (When when : When.values()) {
        fault(n, when);
      }
      crash(n);
      commitBefore(n);
    }
    long ofBackup = operationsOfBackup();
    for (long n = 0; n < ofBackup; n++) {
      rebuildBefore(n);
    }
  }

  @Test
  void a_sample_of_what_may_fail_or_happen_meanwhile_spoils_nothing() throws Exception {
    long operations = operationsOfRebuild();
    long ofBackup = operationsOfBackup();
    Random random = new Random(20261122);
    for (int i = 0; i < SAMPLES; i++) {
      fault(random.nextLong(operations), When.values()[i % When.values().length]);
      crash(random.nextLong(operations));
      commitBefore(random.nextLong(operations));
      rebuildBefore(random.nextLong(ofBackup));
    }
  }
}
