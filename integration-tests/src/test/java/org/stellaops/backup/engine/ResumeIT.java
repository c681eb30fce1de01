package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.RunRecord;
import org.stellaops.backup.model.RunRecord.State;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.RunSettings;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;
import org.stellaops.backup.testkit.MemorySink;

/** A run that was interrupted goes on: what it said to be durable is not sent again. */
class ResumeIT {
  private static final int PACK = 4 << 20;
  private static final int TOLD = 4;

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();

  /** Six packs, of which four are told of. */
  private final BytesSource source =
      new BytesSource("config")
          .with("one", Fixture.random(1, 3 * PACK))
          .with("two", Fixture.random(2, 2 * PACK));

  private AgeIdentity owner;
  private Host host;

  @BeforeEach
  void generate() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    host.backUp(BytesSource.of("small", new byte[9]), "before");
  }

  @AfterEach
  void wipe() {
    sink.assertNothingOpen();
    owner.close();
  }

  private List<State> states() throws IOException {
    try (BackupRepository repository = host.repository(owner)) {
      assertEquals(List.of(), repository.catalog().damage());
      return repository.catalog().runs().stream().map(RunRecord::state).toList();
    }
  }

  private BackupException interrupt(BackupSink cut) {
    return assertThrows(BackupException.Sink.class, () -> host.backUp(source, "cut", cut));
  }

  /** Whether the run said what is durable. */
  private boolean isTold() {
    return sink.snapshot().containsKey(ObjectName.of("log/host-a/0000000004.entry"));
  }

  /** Fails when the run has said what is durable, for once or from then on. */
  private BackupSink failingBehindProgress(boolean isDeadThen) {
    AtomicBoolean isFailed = new AtomicBoolean();
    return HookedStore.on(
        sink,
        what -> {
          boolean isNext = what.startsWith("put ") && isTold() && !isFailed.get();
          if ((isNext && isFailed.compareAndSet(false, true)) || (isDeadThen && isFailed.get())) {
            throw new IOException("gone at " + what);
          }
        });
  }

  /** Runs again, and returns how many bytes of packs that sent. */
  private long goOn() throws IOException {
    AtomicLong sent = new AtomicLong();
    List<String> packs = new ArrayList<>();
    BackupSink counting =
        HookedStore.on(
            sink,
            what -> {
              if (what.startsWith("put w/host-a/packs/")) {
                packs.add(what);
                sent.addAndGet(Long.parseLong(what.replaceAll(".*-([0-9]+)\\.age", "$1")));
              }
            });
    host.backUp(source, "again", counting).requireGood();
    assertTrue(host.isThereAndComplete("again", source, owner));
    return sent.get();
  }

  private static final long WHOLE = 5L * PACK;

  @Test
  void a_run_that_died_is_taken_up_where_it_was_durable() throws Exception {
    interrupt(failingBehindProgress(true));
    assertEquals(State.RUNNING, states().get(0));
    long sent = goOn();
    assertTrue(sent <= WHOLE + PACK / 4 - (TOLD - 1L) * PACK, sent + " of " + WHOLE);
    assertEquals(List.of(State.COMMITTED, State.ABANDONED, State.COMMITTED), states());
    BackupReport next = host.backUp(source, "next");
    assertEquals(0, next.newBytes(), "what was taken up is remembered");
  }

  @Test
  void a_run_that_failed_is_taken_up_by_another_attempt() throws Exception {
    interrupt(failingBehindProgress(false));
    assertEquals(State.FAILED, states().get(0));
    try (BackupEngine engine = host.with(source, sink).open()) {
      RunRecord failed = engine.catalog().runs().get(0);
      BackupReport report = engine.retry(failed.run()).requireGood();
      assertEquals("cut", report.name().value());
      assertTrue(
          report.newBytes() <= WHOLE + PACK / 4 - (TOLD - 1L) * PACK, report.newBytes() + "");
    }
    assertTrue(host.isThereAndComplete("cut", source, owner));
  }

  @Test
  void what_a_run_said_to_be_durable_is_no_garbage_while_it_goes_on() throws Exception {
    Pruning pruning = new Pruning(host).withKeys();
    List<PruneReport> reports = new ArrayList<>();
    AtomicLong packs = new AtomicLong();
    BackupSink pruned =
        HookedStore.on(
            sink,
            what -> {
              if (what.startsWith("put w/host-a/packs/") && packs.incrementAndGet() == TOLD + 1) {
                reports.add(pruning.prune(9));
              }
            });
    try (BackupEngine engine =
        host.with(host.plan(pruned).source(Host.SOURCE, source).janitor(pruning.keys()).build())
            .open()) {
      engine.backup(BackupRequest.full().named("meanwhile")).requireGood();
    }
    assertEquals(0, reports.get(0).doomedObjects(), reports.toString());
    try (BackupRepository repository =
        BackupRepository.at(sink).identity(owner).trust(pruning.trust()).open()) {
      Host.assertComplete(repository, SnapshotRef.named("meanwhile"), source, owner);
    }
  }

  @Test
  void a_source_that_was_captured_whole_is_not_read_again_if_the_plan_says_so() throws Exception {
    BackupReport report = afterOneOfTwoSources(Duration.ofHours(1));
    assertEquals(1, reads.get(), "the database was read by the run that failed");
    assertEquals(Outcome.GOOD, report.outcome());
    try (BackupRepository repository = host.repository(owner)) {
      assertTrue(repository.verify(report.snapshot(), Verification.full(owner)).isIntact());
      BytesSource.Target database = new BytesSource.Target();
      BytesSource.Target files = new BytesSource.Target();
      RestorePlan plan =
          repository.planRestore(
              RestoreRequest.of(report.snapshot())
                  .target("database", database)
                  .target("files", files));
      repository.restore(plan, Confirmation.of(plan.digest()));
      source.artifacts().forEach((n, b) -> assertArrayEquals(b, database.restored.get(n), n));
      assertEquals(1, files.restored.size());
      assertEquals(List.of(), repository.catalog().damage());
      assertTrue(repository.check(Verification.full(owner)).isIntact());
    }
    BackupReport next = twoSources(Duration.ofHours(1), false);
    assertEquals(2, reads.get(), "a run after a good one reads everything");
    assertEquals(0, next.newBytes());
  }

  @Test
  void every_source_is_read_again_unless_the_plan_says_so() throws Exception {
    afterOneOfTwoSources(Duration.ZERO);
    assertEquals(2, reads.get());
  }

  @Test
  void a_source_is_read_again_when_its_capture_is_older_than_the_plan_takes() throws Exception {
    assertThrows(BackupException.Source.class, () -> twoSources(Duration.ofHours(1), true));
    clock = InstantSource.offset(InstantSource.system(), Duration.ofMinutes(61));
    assertEquals(Outcome.GOOD, twoSources(Duration.ofHours(1), false).outcome());
    assertEquals(2, reads.get());
  }

  @Test
  void a_source_is_not_read_again_while_its_capture_is_younger_than_the_plan_takes()
      throws Exception {
    assertThrows(BackupException.Source.class, () -> twoSources(Duration.ofHours(1), true));
    clock = InstantSource.offset(InstantSource.system(), Duration.ofMinutes(50));
    assertEquals(Outcome.GOOD, twoSources(Duration.ofHours(1), false).outcome());
    assertEquals(1, reads.get());
  }

  private final AtomicLong reads = new AtomicLong();

  /** The host's. */
  private InstantSource clock = InstantSource.system();

  private BackupReport afterOneOfTwoSources(Duration reuse) throws Exception {
    assertThrows(BackupException.Source.class, () -> twoSources(reuse, true));
    assertEquals(State.FAILED, states().get(0));
    return twoSources(reuse, false);
  }

  /** The first of two sources is large; the second one may fail. */
  private BackupReport twoSources(Duration reuse, boolean isFailing) throws BackupException {
    BackupSource counted =
        ScriptedSource.capturing(
            session -> {
              reads.incrementAndGet();
              source.capture(session);
            });
    BackupSource small =
        ScriptedSource.capturing(
            session -> {
              if (isFailing) {
                throw new IOException("no such file");
              }
              BytesSource.of("small", new byte[9]).capture(session);
            });
    try (BackupEngine engine =
        host.with(
                host.plan(sink)
                    .source("database", counted)
                    .source("files", small)
                    .runs(RunSettings.defaults().reuse(reuse))
                    .build())
            .clock(clock)
            .open()) {
      return engine.backup(BackupRequest.full());
    }
  }

  @Test
  void a_run_that_stopped_anywhere_is_taken_up() throws Exception {
    exhaust(13);
  }

  @Test
  @Tag("soak")
  void a_run_that_stopped_at_any_operation_is_taken_up() throws Exception {
    exhaust(1);
  }

  private void exhaust(int step) throws Exception {
    SortedMap<ObjectName, byte[]> before = sink.snapshot();
    Host template = host;
    FaultPlan none = FaultPlan.none();
    template.copy(root.resolve("whole"), sink).backUp(source, "cut", none.on(sink));
    List<String> log = none.log();
    int progress = 0;
    for (int n = 0; n < log.size(); n += step) {
      sink.reset(before);
      host = template.copy(root.resolve("stop-" + n), sink);
      interrupt(FaultPlan.failing(n, When.BEFORE).andEverAfter().on(sink));
      long packsBefore =
          log.subList(0, n).stream().filter(o -> o.startsWith("put w/host-a/packs/")).count();
      long toldBefore = isTold() ? TOLD : 0;
      long sent = goOn();
      assertTrue(
          sent <= WHOLE + PACK / 4 - Math.max(0, toldBefore - 1) * PACK,
          "%d sent, stopped at %s behind %d packs".formatted(sent, log.get(n), packsBefore));
      progress += toldBefore > 0 ? 1 : 0;
      try (BackupRepository repository = host.repository(owner)) {
        assertTrue(repository.check(Verification.stored()).isIntact());
      }
    }
    assertTrue(progress > 0, log.toString());
  }
}
