package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.RunRecord;
import org.stellaops.backup.model.RunRecord.State;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RunSettings;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.store.RetryPolicy;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.MemorySink;

/** Runs of one plan beside each other: who may begin, who is believed dead, and who is fenced. */
class RunClaimIT {
  private static final Duration SHORT = Duration.ofSeconds(1);

  @TempDir Path root;
  private final BytesSource source =
      new BytesSource("config").with("one", Fixture.random(1, 40_000));
  private final MemorySink sink = new MemorySink();
  private AgeIdentity owner;
  private Host host;

  @BeforeEach
  void generate() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
  }

  @AfterEach
  void wipe() {
    sink.assertNothingOpen();
    owner.close();
  }

  private BackupEngine.Builder engine(String instance, BackupSource what, BackupSink through) {
    return engine(instance, what, through, RunSettings.defaults().lease(SHORT));
  }

  private BackupEngine.Builder engine(
      String instance, BackupSource what, BackupSink through, RunSettings runs) {
    return host.with(host.plan(through).source(Host.SOURCE, what).runs(runs).build())
        .instance(instance);
  }

  /** Which gives no sign of life while a test counts its operations. */
  private BackupEngine.Builder quietEngine(String instance, BackupSink through) {
    return engine(instance, source, through, RunSettings.defaults());
  }

  private List<RunRecord> runs() throws IOException {
    try (BackupRepository repository = host.repository(owner)) {
      assertEquals(List.of(), repository.catalog().damage());
      return repository.catalog().runs();
    }
  }

  private List<State> states() throws IOException {
    return runs().stream().map(RunRecord::state).toList();
  }

  @Test
  void a_run_is_recorded_with_who_made_it_and_how_it_ended() throws Exception {
    BackupReport report;
    try (BackupEngine engine = engine("pod-1", source, sink).open()) {
      report = engine.backup(BackupRequest.full());
    }
    RunRecord record = runs().get(0);
    assertEquals(report.run(), record.run());
    assertEquals("host-a", record.writer());
    assertEquals("test", record.plan());
    assertEquals("pod-1", record.instance());
    assertEquals(1, record.attempt());
    assertEquals(Optional.empty(), record.slot());
    assertEquals(SHORT, record.lease());
    assertSame(State.COMMITTED, record.state());
    assertFalse(record.began().isAfter(record.ended().orElseThrow()));
  }

  @Test
  void a_run_that_fails_is_recorded_with_its_code() throws Exception {
    BackupSource failing =
        ScriptedSource.capturing(
            session -> {
              throw new IOException("no such table");
            });
    try (BackupEngine engine = engine("pod-1", failing, sink).open()) {
      assertThrows(BackupException.Source.class, () -> engine.backup(BackupRequest.full()));
    }
    RunRecord record = runs().get(0);
    assertSame(State.FAILED, record.state());
    assertEquals(Optional.of("STELLA-200"), record.failure());
  }

  @Test
  void a_second_run_of_a_plan_is_refused_while_one_lives_and_the_message_names_it()
      throws Exception {
    AtomicReference<BackupException> refused = new AtomicReference<>();
    BackupReport first = whileARunGoesOn("pod-2", BackupRequest.full(), refused, () -> {});
    assertSame(CoreFailure.RUN_IN_PROGRESS, refused.get().code());
    assertTrue(refused.get().getMessage().contains(first.run().value()));
    assertEquals(List.of(State.COMMITTED), states());
  }

  @Test
  void a_second_run_may_go_beside_the_first() throws Exception {
    AtomicReference<BackupException> refused = new AtomicReference<>();
    whileARunGoesOn("pod-2", BackupRequest.full().besideOthers(), refused, () -> {});
    assertEquals(null, refused.get());
    assertEquals(List.of(State.COMMITTED, State.COMMITTED), states());
  }

  /** One engine backs up; within its capture another one is asked to. */
  private BackupReport whileARunGoesOn(
      String instance,
      BackupRequest request,
      AtomicReference<BackupException> refused,
      Runnable before)
      throws IOException {
    BackupSource slow =
        ScriptedSource.capturing(
            session -> {
              before.run();
              try (BackupEngine other = engine(instance, source, sink).open()) {
                other.backup(request);
              } catch (BackupException e) {
                refused.set(e);
              }
              source.capture(session);
            });
    try (BackupEngine engine = engine("pod-1", slow, sink).open()) {
      return engine.backup(BackupRequest.full());
    }
  }

  @Test
  void a_run_waits_for_the_one_before_it_if_it_is_told_to() throws Exception {
    var isCapturing = new CountDownLatch(1);
    var mayGoOn = new CountDownLatch(1);
    BackupSource slow =
        ScriptedSource.capturing(
            session -> {
              isCapturing.countDown();
              awaitQuietly(mayGoOn);
              source.capture(session);
            });
    try (BackupEngine one = engine("pod-1", slow, sink).open();
        BackupEngine two = engine("pod-2", source, asksTwice(mayGoOn)).open()) {
      FutureTask<BackupReport> first = new FutureTask<>(() -> one.backup(BackupRequest.full()));
      new Thread(first).start();
      assertTrue(isCapturing.await(60, TimeUnit.SECONDS));
      BackupReport second = two.backup(BackupRequest.full().orWait(Duration.ofMinutes(1)));
      assertEquals(
          List.of(second.run(), first.get().run()), runs().stream().map(RunRecord::run).toList());
    }
    assertEquals(List.of(State.COMMITTED, State.COMMITTED), states());
  }

  /** Lets the other one go on when it has looked twice. */
  private BackupSink asksTwice(CountDownLatch then) {
    List<String> looks = new ArrayList<>();
    return HookedStore.on(
        sink,
        what -> {
          if (what.startsWith("list beat/host-a/")) {
            looks.add(what);
          }
          if (looks.size() == 2) {
            then.countDown();
          }
        });
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      assertTrue(latch.await(60, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Where the store has no clock, whoever waits has to watch for the length of the lease. */
  @Test
  void a_silent_run_is_ended_by_whoever_saw_it_silent_for_its_lease() throws Exception {
    RunId dead = dieWhileCapturing();
    try (BackupEngine engine = engine("pod-2", source, sink).open()) {
      var e =
          assertThrows(BackupException.Refused.class, () -> engine.backup(BackupRequest.full()));
      assertSame(CoreFailure.RUN_IN_PROGRESS, e.code());
      engine.backup(BackupRequest.full().orWait(Duration.ofMinutes(1))).requireGood();
    }
    assertEquals(List.of(State.COMMITTED, State.ABANDONED), states());
    assertEquals(dead, runs().get(1).run());
  }

  @Test
  void what_an_instance_of_the_same_name_left_behind_is_ended_at_once() throws Exception {
    RunId dead = dieWhileCapturing();
    try (BackupEngine engine = engine("pod-1", source, sink).open()) {
      engine.backup(BackupRequest.full()).requireGood();
    }
    assertEquals(List.of(State.COMMITTED, State.ABANDONED), states());
    assertEquals(dead, runs().get(1).run());
  }

  /** From its first pack on nothing reaches the store any more, not even that it failed. */
  private RunId dieWhileCapturing() throws IOException {
    FaultPlan none = FaultPlan.none();
    SortedMap<ObjectName, byte[]> before = sink.snapshot();
    Host other = host.copy(root.resolve("again"), sink);
    try (BackupEngine engine = engine("pod-1", source, none.on(sink)).open()) {
      engine.backup(BackupRequest.full());
    }
    sink.reset(before);
    long pack = none.log().stream().takeWhile(o -> !o.startsWith("put w/host-a/packs/")).count();
    host = other;
    FaultPlan faults = FaultPlan.failing(pack, FaultPlan.When.BEFORE).andEverAfter();
    try (BackupEngine engine = engine("pod-1", source, faults.on(sink)).open()) {
      assertThrows(BackupException.Sink.class, () -> engine.backup(BackupRequest.full()));
    }
    assertEquals(List.of(State.RUNNING), states());
    return runs().get(0).run();
  }

  /** Another engine takes over before every operation of a run, its commit among them. */
  @Test
  void an_owner_that_was_taken_for_dead_cannot_commit_wherever_it_was() throws Exception {
    host.backUp(source, "first");
    SortedMap<ObjectName, byte[]> before = sink.snapshot();
    sink.reset(before); // as before each of the runs below: what was listed has new versions
    Host template = host;
    FaultPlan none = FaultPlan.none();
    host = template.copy(root.resolve("none"), sink);
    List<String> operations = new ArrayList<>();
    try (BackupEngine engine =
        quietEngine("pod-1", HookedStore.on(none.on(sink), operations::add)).open()) {
      operations.clear();
      engine.backup(BackupRequest.full().named("owner"));
    }
    int claimed = operations.indexOf("put log/host-a/0000000003.entry");
    int committed = operations.indexOf("put log/host-a/0000000004.entry");
    assertTrue(0 <= claimed && claimed < committed - 5, operations.toString());
    for (int next = claimed + 1; next <= committed; next++) {
      sink.reset(before);
      host = template.copy(root.resolve("at-" + next), sink);
      assertFenced(next, operations.get(next));
    }
  }

  /** Another engine of its name takes over before that operation. */
  private void assertFenced(int operation, String what) throws IOException {
    AtomicReference<Integer> count = new AtomicReference<>(-1_000_000);
    BackupSink hooked =
        HookedStore.on(
            sink,
            any -> {
              if (count.getAndUpdate(n -> n + 1) == operation) {
                host.backUp(source, BackupRequest.full().named("other"), sink);
              }
            });
    try (BackupEngine engine = quietEngine("host-a", hooked).open()) {
      count.set(0);
      var e =
          assertThrows(
              BackupException.Stopped.class,
              () -> engine.backup(BackupRequest.full().named("owner")),
              what);
      assertSame(CoreFailure.FENCED, e.code());
    }
    assertEquals(List.of(State.COMMITTED, State.ABANDONED, State.COMMITTED), states());
    try (BackupRepository repository = host.repository(owner)) {
      assertEquals(
          List.of("other", "first"),
          repository.catalog().list(SnapshotFilter.all()).stream()
              .map(s -> s.name().value())
              .toList());
    }
  }

  @Test
  void a_long_run_shows_that_it_lives_and_leaves_no_beat() throws Exception {
    Path directory = root.resolve("beating");
    host =
        new Host(directory, owner.recipient(), DirectorySink.at(directory.resolve("repository")));
    host.withKeys();
    var hasBeaten = new CountDownLatch(2);
    BackupSink listening =
        HookedStore.on(
            host.sink,
            what -> {
              if (what.startsWith("put beat/host-a/")) {
                hasBeaten.countDown();
              }
            });
    BackupSource slow =
        ScriptedSource.capturing(
            session -> {
              awaitQuietly(hasBeaten);
              source.capture(session);
            });
    try (BackupEngine engine = engine("pod-1", slow, listening).open()) {
      engine.backup(BackupRequest.full()).requireGood();
    }
    try (var store = host.sink.open(StoreContext.system())) {
      assertEquals(List.of(), store.list("beat/", PageToken.START).objects());
    }
  }

  @Test
  void a_fault_that_may_pass_is_met_again_and_every_attempt_is_recorded() throws Exception {
    BackupReport report = attempts(3, BackupException.Sink.Reason.TRANSIENT).orElseThrow();
    List<RunRecord> runs = runs();
    assertEquals(
        List.of(State.COMMITTED, State.FAILED), runs.stream().map(RunRecord::state).toList());
    assertEquals(report.run(), runs.get(0).run());
    assertEquals(2, runs.get(0).attempt());
    assertEquals(Optional.of(runs.get(1).run()), runs.get(0).retries());
  }

  @Test
  void what_will_not_pass_and_what_was_tried_often_enough_is_not_met_again() throws Exception {
    assertEquals(Optional.empty(), attempts(3, BackupException.Sink.Reason.DENIED));
    assertEquals(List.of(State.FAILED), states());
    sink.reset(new TreeMap<>());
    host = new Host(root.resolve("other"), owner.recipient(), sink).withKeys();
    assertEquals(Optional.empty(), attempts(1, BackupException.Sink.Reason.TRANSIENT));
    assertEquals(List.of(State.FAILED), states());
  }

  /** The first pack that is sent meets a fault. */
  private Optional<BackupReport> attempts(int most, BackupException.Sink.Reason reason)
      throws IOException {
    AtomicReference<Boolean> isMet = new AtomicReference<>(false);
    BackupSink faulty =
        HookedStore.on(
            sink,
            what -> {
              if (what.startsWith("put w/host-a/packs/") && !isMet.getAndSet(true)) {
                throw new BackupException.Sink(
                    CoreFailure.SINK_FAILED, reason, "made to fail: " + what);
              }
            });
    RetryPolicy policy = new RetryPolicy(most, Duration.ofMillis(1), Duration.ofMillis(2));
    try (BackupEngine engine =
        host.with(
                host.plan(faulty)
                    .source(Host.SOURCE, source)
                    .runs(RunSettings.defaults().retry(policy))
                    .build())
            .open()) {
      return Optional.of(engine.backup(BackupRequest.full()));
    } catch (BackupException.Sink e) {
      assertSame(reason, e.reason());
      return Optional.empty();
    }
  }

  @Test
  void a_run_that_failed_can_be_asked_for_again() throws Exception {
    attempts(1, BackupException.Sink.Reason.DENIED);
    RunId failed = runs().get(0).run();
    try (BackupEngine engine = engine("pod-2", source, sink).open()) {
      BackupReport again = engine.retry(failed).requireGood();
      assertEquals(2, runs().get(0).attempt());
      assertEquals(Optional.of(failed), runs().get(0).retries());
      var e = assertThrows(BackupException.Refused.class, () -> engine.retry(again.run()));
      assertSame(CoreFailure.BLOCKED, e.code());
      var unknown =
          assertThrows(BackupException.Refused.class, () -> engine.retry(new RunId("01zzzz")));
      assertSame(CoreFailure.NOT_FOUND, unknown.code());
    }
  }
}
