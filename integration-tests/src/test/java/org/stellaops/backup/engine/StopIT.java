package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.Closeable;
import java.io.IOException;
import java.net.SocketException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Catalog;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Progress;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;
import org.stellaops.backup.testkit.OpenFiles;

/**
 * A run that is stopped ends as Stopped and leaves nothing, unless it had committed: then it ends
 * well. The store is a directory, since files are what an interrupt can break.
 */
class StopIT {
  private static final String NAME = "stopped";

  @TempDir Path root;
  private final BytesSource source =
      new BytesSource("config")
          .form(Form.CONTENT.remembered())
          .with("one", Fixture.random(1, 50_000))
          .with("two", Fixture.random(2, 50_000));
  private AgeIdentity owner;
  private int hosts;

  @BeforeEach
  void generate() throws IOException {
    owner = AgeIdentity.generate();
  }

  @AfterEach
  void nothingIsOpen() throws IOException {
    owner.close();
    OpenFiles.assertNoneBelow(root);
  }

  /** How a run is asked to stop. */
  enum Stop {
    CANCEL {
      @Override
      void now(BackupEngine engine, RunId run) {
        engine.cancel(run);
      }
    },
    INTERRUPT {
      @Override
      void now(BackupEngine engine, RunId run) {
        Thread.currentThread().interrupt();
      }
    };

    abstract void now(BackupEngine engine, RunId run);
  }

  @ParameterizedTest
  @EnumSource
  void a_run_can_be_stopped_before_each_operation_of_the_store(Stop stop) throws Exception {
    int operations = 0;
    for (boolean hasStopped = true; hasStopped; operations++) {
      hasStopped = stopsBefore(operations, stop);
    }
    assertTrue(operations > 15, operations + " operations");
  }

  /** Whether the run had so many operations. */
  private boolean stopsBefore(int operation, Stop stop) throws Exception {
    Host host = newHost();
    AtomicInteger before = new AtomicInteger();
    AtomicReference<RunId> run = new AtomicReference<>();
    AtomicReference<BackupEngine> engine = new AtomicReference<>();
    BackupSink hooked =
        HookedStore.on(
            host.sink,
            what -> {
              if (run.get() != null && before.getAndIncrement() == operation) {
                stop.now(engine.get(), run.get());
              }
            });
    boolean isReported;
    try (BackupEngine opened = host.with(source, hooked).listener(starting(run)).open()) {
      engine.set(opened);
      isReported = isReported(opened, CoreFailure.CANCELLED);
    }
    boolean hasStopped = before.get() > operation;
    assertEquals(stop == Stop.INTERRUPT && hasStopped, Thread.interrupted());
    assertLaw(host, isReported);
    return hasStopped;
  }

  @ParameterizedTest
  @EnumSource
  void a_run_can_be_stopped_at_each_event(Stop stop) throws Exception {
    int events = 0;
    for (boolean hasStopped = true; hasStopped; events++) {
      hasStopped = stopsAt(events, stop);
    }
    assertTrue(events >= 5, events + " events");
  }

  private boolean stopsAt(int event, Stop stop) throws Exception {
    Host host = newHost();
    AtomicInteger heard = new AtomicInteger();
    AtomicReference<BackupEngine> engine = new AtomicReference<>();
    BackupListener stopping =
        new BackupListener() {
          @Override
          public void runStarted(RunId run, Set<SourceName> sources) {
            hear(run);
          }

          @Override
          public void progressed(Progress progress) {
            hear(progress.run());
          }

          private void hear(RunId run) {
            if (heard.getAndIncrement() == event) {
              stop.now(engine.get(), run);
            }
          }
        };
    boolean isReported;
    try (BackupEngine opened = host.with(source, host.sink).listener(stopping).open()) {
      engine.set(opened);
      isReported = isReported(opened, CoreFailure.CANCELLED);
    }
    boolean hasStopped = heard.get() > event;
    assertEquals(stop == Stop.INTERRUPT && hasStopped, Thread.interrupted());
    assertLaw(host, isReported);
    return hasStopped;
  }

  @Test
  void a_deadline_ends_a_source_that_waits_for_a_server() throws Exception {
    Host host = newHost();
    try (BackupEngine engine = host.with(waiting(() -> {}), host.sink).open()) {
      var e =
          assertThrows(
              BackupException.Stopped.class,
              () -> engine.backup(BackupRequest.full().named(NAME).within(Duration.ofMillis(20))));
      assertSame(CoreFailure.DEADLINE_EXCEEDED, e.code());
    }
    assertLaw(host, false);
  }

  @Test
  void a_deadline_is_noticed_by_the_clock_of_the_engine() throws Exception {
    Host host = newHost();
    AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-11-20T12:00:00Z"));
    BackupSource slow =
        ScriptedSource.capturing(
            session -> {
              now.updateAndGet(i -> i.plus(Duration.ofHours(2)));
              source.capture(session);
            });
    try (BackupEngine engine = host.with(slow, host.sink).clock(now::get).open()) {
      var e =
          assertThrows(
              BackupException.Stopped.class,
              () -> engine.backup(BackupRequest.full().named(NAME).within(Duration.ofHours(1))));
      assertSame(CoreFailure.DEADLINE_EXCEEDED, e.code());
    }
    assertLaw(host, false);
  }

  @Test
  void cancelling_ends_a_source_that_waits_for_a_server() throws Exception {
    Host host = newHost();
    var isWaiting = new CountDownLatch(1);
    AtomicReference<RunId> run = new AtomicReference<>();
    try (BackupEngine engine =
        host.with(waiting(isWaiting::countDown), host.sink).listener(starting(run)).open()) {
      var failure = inBackground(() -> isReported(engine, CoreFailure.CANCELLED));
      assertTrue(isWaiting.await(60, TimeUnit.SECONDS));
      engine.cancel(run.get());
      assertFalse(failure.get());
    }
    assertLaw(host, false);
  }

  @Test
  void closing_the_engine_stops_its_run_and_waits_for_its_end() throws Exception {
    Host host = newHost();
    var isWaiting = new CountDownLatch(1);
    var hasEnded = new AtomicBoolean();
    BackupSource waiting = waiting(isWaiting::countDown);
    BackupSource ending =
        ScriptedSource.capturing(
            session -> {
              try {
                waiting.capture(session);
              } finally {
                hasEnded.set(true);
              }
            });
    BackupEngine engine = host.with(ending, host.sink).open();
    var failure = inBackground(() -> isReported(engine, CoreFailure.CANCELLED));
    assertTrue(isWaiting.await(60, TimeUnit.SECONDS));
    engine.close();
    assertTrue(hasEnded.get());
    assertFalse(failure.get(60, TimeUnit.SECONDS));
    assertThrows(IllegalStateException.class, () -> engine.backup(BackupRequest.full()));
    engine.close();
    assertLaw(host, false);
  }

  @Test
  void an_engine_cannot_be_closed_from_within_its_run() throws Exception {
    Host host = newHost();
    AtomicReference<BackupEngine> engine = new AtomicReference<>();
    BackupSource closing =
        ScriptedSource.capturing(
            session -> {
              assertThrows(IllegalStateException.class, () -> engine.get().close());
              source.capture(session);
            });
    try (BackupEngine opened = host.with(closing, host.sink).open()) {
      engine.set(opened);
      assertFalse(isReported(opened, CoreFailure.CANCELLED));
    }
    assertLaw(host, false);
  }

  @Test
  void every_action_on_a_stop_runs_though_one_of_them_throws() throws Exception {
    Host host = newHost();
    List<String> ran = new ArrayList<>();
    AtomicReference<RunId> run = new AtomicReference<>();
    AtomicReference<BackupEngine> engine = new AtomicReference<>();
    BackupSource rude =
        ScriptedSource.capturing(
            session -> {
              try (Closeable first =
                      session
                          .stopping()
                          .onStop(
                              () -> {
                                ran.add("first");
                                throw new IllegalStateException("rude");
                              });
                  Closeable second = session.stopping().onStop(() -> ran.add("second"))) {
                assertThrows(IllegalStateException.class, () -> engine.get().cancel(run.get()));
                assertFalse(first == second);
              }
              source.capture(session);
            });
    try (BackupEngine opened = host.with(rude, host.sink).listener(starting(run)).open()) {
      engine.set(opened);
      assertFalse(isReported(opened, CoreFailure.CANCELLED));
    }
    assertEquals(List.of("first", "second"), ran);
    assertLaw(host, false);
  }

  @Test
  void cancelling_a_run_that_is_over_does_nothing() throws Exception {
    Host host = newHost();
    try (BackupEngine engine = host.with(source, host.sink).open()) {
      var report = engine.backup(BackupRequest.full().named(NAME));
      engine.cancel(report.run());
      engine.backup(BackupRequest.full().named("again")).requireGood();
    }
    assertTrue(host.isThereAndComplete(NAME, source, owner));
  }

  /** It meets the interrupt in its own way, and rolls back what it began. */
  @Test
  void an_interrupt_that_a_target_meets_is_a_stop_of_the_restore() throws Exception {
    Host host = newHost();
    host.backUp(source, NAME);
    RolledBack target = new RolledBack();
    try (BackupRepository repository = host.repository(owner)) {
      RestorePlan plan =
          repository.planRestore(
              RestoreRequest.of(SnapshotRef.named(NAME)).target(Host.SOURCE, target));
      var e =
          assertThrows(
              BackupException.Stopped.class,
              () -> repository.restore(plan, Confirmation.of(plan.digest())));
      assertTrue(Thread.interrupted(), "the flag stays set");
      assertInstanceOf(ClosedByInterruptException.class, e.getSuppressed()[0].getCause());
      assertEquals(List.of("stage", "roll back"), target.steps);
    }
  }

  private static final class RolledBack implements RestoreTarget {
    private final List<String> steps = new ArrayList<>();

    @Override
    public TargetDescription describe() {
      return new TargetDescription("nowhere", Map.of());
    }

    @Override
    public boolean accepts(SourceKind kind) {
      return true;
    }

    @Override
    public void plan(RestorePlanning planning) {}

    @Override
    public void stage(RestoreSession session) throws IOException {
      steps.add("stage");
      Thread.currentThread().interrupt();
      throw new BackupException.Target(
          CoreFailure.TARGET_FAILED, "write", new ClosedByInterruptException());
    }

    @Override
    public void publish(RestoreSession session) {
      steps.add("publish");
    }

    @Override
    public void rollBack(RestoreSession session) {
      steps.add("roll back");
    }
  }

  @Test
  void a_deadline_comes_though_every_thread_of_the_engine_waits() throws Exception {
    Host host = newHost();
    BackupPlan plan = host.plan(host.sink).source(Host.SOURCE, waiting(() -> {})).build();
    Deque<Runnable> never = new ArrayDeque<>();
    try (BackupEngine engine = BackupEngine.with(plan).executor(never::add).open()) {
      var e =
          assertThrows(
              BackupException.Stopped.class,
              () -> engine.backup(BackupRequest.full().within(Duration.ofMillis(20))));
      assertSame(CoreFailure.DEADLINE_EXCEEDED, e.code());
    }
  }

  @Test
  void what_is_closed_lists_and_checks_nothing_any_more() throws Exception {
    Host host = newHost();
    host.backUp(source, NAME);
    BackupEngine engine = host.with(source, host.sink).open();
    Catalog catalog = engine.catalog();
    assertEquals(1, catalog.list(SnapshotFilter.all()).size());
    engine.close();
    engine.close();
    assertThrows(IllegalStateException.class, () -> catalog.list(SnapshotFilter.all()));
    assertThrows(IllegalStateException.class, () -> engine.preflight(BackupRequest.full()));
    assertThrows(IllegalStateException.class, () -> engine.backup(BackupRequest.full()));
  }

  @Test
  void a_workspace_that_is_lost_during_the_commit_does_not_make_it_a_failure() throws Exception {
    Host host = newHost();
    AtomicReference<Boolean> isStored = new AtomicReference<>(false);
    BackupSink hooked =
        HookedStore.on(
            host.sink,
            what -> {
              if (what.startsWith("put w/host-a/manifests/")) {
                isStored.set(true);
              }
              if (what.startsWith("put log/host-a/") && isStored.get()) {
                host.assertWorkspaceClean();
                try (var files = Files.walk(host.workspace())) {
                  for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                  }
                }
              }
            });
    host.backUp(source, NAME, hooked).requireGood();
    assertTrue(host.isThereAndComplete(NAME, source, owner));
  }

  private boolean isReported(BackupEngine engine, CoreFailure expected) {
    try {
      engine.backup(BackupRequest.full().named(NAME));
      return true;
    } catch (BackupException.Stopped e) {
      assertSame(expected, e.code());
      return false;
    } catch (BackupException e) {
      throw new AssertionError("not Stopped", e);
    }
  }

  private void assertLaw(Host host, boolean isReported) throws IOException {
    host.assertWorkspaceClean();
    assertEquals(isReported, host.isThereAndComplete(NAME, source, owner));
    host.assertNextRunSucceeds(source, owner);
    assertFalse(Files.exists(host.directory.resolve("repository/tmp")));
  }

  /** Waits as on a socket, which only closing it from elsewhere ends. */
  private static BackupSource waiting(Runnable isWaiting) {
    return ScriptedSource.capturing(
        session ->
            session.artifact(ArtifactName.of("a"), Form.CONTENT, out -> await(session, isWaiting)));
  }

  private static void await(CaptureSession session, Runnable isWaiting) throws IOException {
    var closed = new CompletableFuture<Void>();
    try (Closeable registration = session.stopping().onStop(() -> closed.complete(null))) {
      isWaiting.run();
      closed.join();
      throw new SocketException("Socket closed by " + registration.getClass().getSimpleName());
    }
  }

  private static BackupListener starting(AtomicReference<RunId> run) {
    return new BackupListener() {
      @Override
      public void runStarted(RunId started, Set<SourceName> sources) {
        run.set(started);
      }
    };
  }

  private static <T> FutureTask<T> inBackground(Callable<T> work) {
    var task = new FutureTask<>(work);
    new Thread(task, "background").start();
    return task;
  }

  private Host newHost() throws IOException {
    Path directory = root.resolve("host" + hosts++);
    return new Host(directory, owner.recipient(), DirectorySink.at(directory.resolve("repository")))
        .withKeys();
  }
}
