package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.engine.EngineProcess.Task;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.RunRecord;
import org.stellaops.backup.model.RunRecord.State;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Limits;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.MemorySink;

/**
 * Engines that commit at once. There is no fork: every slot of a log has one entry, the chain
 * verifies, and every snapshot that was reported is there.
 */
class ConcurrentCommitIT {
  private static final int ROUNDS = 12;
  private static final int PROCESSES = 3;
  private static final int RUNS_OF_A_PROCESS = 4;

  @TempDir Path root;
  private AgeIdentity owner;

  @BeforeEach
  void generate() throws IOException {
    owner = AgeIdentity.generate();
  }

  @AfterEach
  void wipe() {
    owner.close();
  }

  @Test
  void two_engines_of_one_writer_that_take_the_same_slot_both_commit() throws Exception {
    var sink = new MemorySink();
    Host host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    Map<String, BytesSource> contents = new LinkedHashMap<>();
    for (int round = 0; round < ROUNDS; round++) {
      String one = "one-" + round;
      String two = "two-" + round;
      contents.put(one, content("a", 2 * round));
      contents.put(two, content("b", 2 * round + 1));
      var meeting = new CyclicBarrier(2);
      atOnce(
          meeting,
          () -> beside(host, contents.get(one), one, meetingAtCommit(meeting, sink)),
          () -> beside(host, contents.get(two), two, meetingAtCommit(meeting, sink)));
    }
    assertOneChain(host, "host-a", 2 * ROUNDS);
    assertAllThere(host, contents);
    sink.assertNothingOpen();
  }

  @Test
  void the_state_of_both_is_kept_so_that_a_third_run_stores_nothing_again() throws Exception {
    var sink = new MemorySink();
    Host host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    BytesSource a = content("a", 1);
    BytesSource b = content("b", 2);
    var meeting = new CyclicBarrier(2);
    atOnce(
        meeting,
        () -> beside(host, a, "one", meetingAtCommit(meeting, sink)),
        () -> beside(host, b, "two", meetingAtCommit(meeting, sink)));
    BytesSource both = new BytesSource("config");
    a.artifacts().forEach(both::with);
    b.artifacts().forEach(both::with);
    assertEquals(0, host.backUp(both, "both").newBytes());
    assertAllThere(host, Map.of("one", a, "two", b, "both", both));
  }

  @Test
  void two_engines_that_begin_one_repository_at_once_share_it() throws Exception {
    for (String meetBefore :
        List.of(
            "put FORMAT.txt",
            "put repository.json",
            "put sink.json",
            "put keys/",
            "put log/admin/",
            "put log/host-a/")) {
      var sink = new MemorySink();
      Host host =
          new Host(root.resolve(meetBefore.replaceAll("\\W", "-")), owner.recipient(), sink);
      var meeting = new CyclicBarrier(2);
      Map<String, BytesSource> contents = Map.of("one", content("a", 1), "two", content("b", 2));
      atOnce(
          meeting,
          () -> beside(host, contents.get("one"), "one", meetingAt(meeting, meetBefore, sink)),
          () -> beside(host, contents.get("two"), "two", meetingAt(meeting, meetBefore, sink)));
      assertOneChain(host, "host-a", 2);
      assertAllThere(host, contents);
      host.assertNextRunSucceeds(content("a", 1), owner);
      sink.assertNothingOpen();
    }
  }

  @Test
  void runs_without_names_that_begin_in_the_same_second_get_different_ones() throws Exception {
    var sink = new MemorySink();
    Host host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    var meeting = new CyclicBarrier(2);
    List<BackupReport> reports =
        atOnce(
            meeting,
            () -> backUpAtNoon(host, meetingAtCommit(meeting, sink)),
            () -> backUpAtNoon(host, meetingAtCommit(meeting, sink)));
    Set<String> names = new HashSet<>();
    reports.forEach(r -> names.add(r.name().value()));
    assertEquals(Set.of("test-20261120T120000Z", "test-20261120T120000Z-2"), names);
    for (BackupReport report : reports) {
      assertTrue(host.isThereAndComplete(report.name().value(), content("a", 1), owner));
    }
    assertOneChain(host, "host-a", 2);
  }

  private BackupReport backUpAtNoon(Host host, BackupSink through) throws Exception {
    try (BackupEngine engine =
        host.with(content("a", 1), through)
            .clock(() -> Instant.parse("2026-11-20T12:00:00Z"))
            .open()) {
      return engine.backup(BackupRequest.full().besideOthers());
    }
  }

  @Test
  void two_runs_of_one_engine_at_once_both_commit() throws Exception {
    var sink = new MemorySink();
    Host host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    var meeting = new CyclicBarrier(2);
    Map<String, BytesSource> contents = new LinkedHashMap<>();
    BackupPlan plan =
        host.plan(meetingAtCommit(meeting, sink)).source(Host.SOURCE, content("a", 1)).build();
    try (BackupEngine engine = host.with(plan).open()) {
      atOnce(
          meeting,
          () -> engine.backup(BackupRequest.full().named("one").besideOthers()),
          () -> engine.backup(BackupRequest.full().named("two").besideOthers()));
    }
    contents.put("one", content("a", 1));
    contents.put("two", content("a", 1));
    assertOneChain(host, "host-a", 2);
    assertAllThere(host, contents);
  }

  @Test
  void different_writers_share_a_repository_and_each_has_a_log() throws Exception {
    var sink = new MemorySink();
    List<WriterKeyFile> writers = new ArrayList<>();
    for (String name : List.of("host-a", "host-b")) {
      WriterKeyFile keys = WriterKeyFile.at(root.resolve(name)).named(name);
      keys.open().close();
      writers.add(keys);
    }
    Trust both = Trust.owner(writers.get(0).id()).and(Trust.owner(writers.get(1).id()));
    for (int round = 0; round < 3; round++) {
      String name = "round-" + round;
      var meeting = new CyclicBarrier(2);
      List<Callable<BackupReport>> runs = new ArrayList<>();
      for (WriterKeyFile keys : writers) {
        BackupPlan plan =
            BackupPlan.named("test")
                .source(Host.SOURCE, content("a", round))
                .encryptTo(owner.recipient())
                .writer(keys)
                .trust(both)
                .limits(new Limits(32 << 20, 1, 1, 64 << 10))
                .sink(meetingAt(meeting, "put log/", sink))
                .build();
        runs.add(() -> backUp(plan, name));
      }
      atOnce(meeting, runs.get(0), runs.get(1));
    }
    try (BackupRepository repository =
        BackupRepository.at(sink).identity(owner).trust(both).open()) {
      List<SnapshotSummary> all = repository.catalog().list(SnapshotFilter.all());
      assertEquals(6, all.size());
      assertEquals(3, all.stream().filter(s -> s.writer().equals("host-b")).count());
      for (SnapshotSummary snapshot : all) {
        Host.assertRestores(
            repository,
            snapshot.id(),
            content("a", Integer.parseInt(snapshot.name().value().substring(6))).artifacts());
      }
      assertTrue(repository.check(Verification.full(owner)).isIntact());
    }
  }

  private static BackupReport backUp(BackupPlan plan, String name) throws Exception {
    try (BackupEngine engine = BackupEngine.with(plan).executor(Runnable::run).open()) {
      return engine.backup(BackupRequest.full().named(name));
    }
  }

  @Test
  void processes_of_one_writer_that_begin_one_repository_at_once_all_commit() throws Exception {
    Path directory = root.resolve("host");
    Host host =
        new Host(
            directory, owner.recipient(), DirectorySink.at(EngineProcess.repository(directory)));
    PackedClassPath classes = PackedClassPath.in(root);
    List<EngineProcess> processes = new ArrayList<>();
    Map<String, BytesSource> contents = new LinkedHashMap<>();
    try {
      for (int p = 0; p < PROCESSES; p++) {
        processes.add(
            EngineProcess.start(
                host, Task.whole(p, "process-" + p, RUNS_OF_A_PROCESS), classes.options()));
        for (int run = 1; run <= RUNS_OF_A_PROCESS; run++) {
          contents.put("process-%d-%d".formatted(p, run), EngineProcess.content(p));
        }
      }
      for (EngineProcess process : processes) {
        process.awaitReady();
      }
      for (EngineProcess process : processes) {
        process.go();
      }
      for (EngineProcess process : processes) {
        assertEquals(0, process.await());
      }
    } finally {
      processes.forEach(EngineProcess::close);
    }
    assertOneChain(host, "host-a", PROCESSES * RUNS_OF_A_PROCESS);
    assertAllThere(host, contents);
    for (int p = 0; p < PROCESSES; p++) {
      assertEquals(0, host.backUp(EngineProcess.content(p), "again-" + p).newBytes());
    }
    try (Stream<Path> entries =
        Files.list(EngineProcess.repository(directory).resolve("log/host-a"))) {
      // Each run has one with which it begins, and one that is its snapshot.
      assertEquals(2 * (PROCESSES * RUNS_OF_A_PROCESS + PROCESSES), entries.count());
    }
  }

  /** Every slot has one entry, each names the one before it, and every run ended well. */
  private void assertOneChain(Host host, String log, int runs) throws IOException {
    try (BackupRepository repository = host.repository(owner)) {
      assertEquals(List.of(), repository.catalog().damage());
      Set<Long> slots = new HashSet<>();
      repository.catalog().list(SnapshotFilter.all()).stream()
          .filter(s -> s.writer().equals(log))
          .forEach(s -> slots.add(s.sequence()));
      assertEquals(runs, slots.size());
      assertEquals(
          Collections.nCopies(runs, State.COMMITTED),
          repository.catalog().runs().stream().map(RunRecord::state).toList());
      assertTrue(repository.check(Verification.full(owner)).isIntact());
    }
  }

  private void assertAllThere(Host host, Map<String, BytesSource> contents) throws IOException {
    for (Map.Entry<String, BytesSource> content : contents.entrySet()) {
      assertTrue(host.isThereAndComplete(content.getKey(), content.getValue(), owner));
    }
  }

  private static BackupReport beside(Host host, BytesSource source, String name, BackupSink through)
      throws Exception {
    return host.backUp(source, BackupRequest.full().named(name).besideOthers(), through);
  }

  /** The sink of one engine, whose first such operation waits for the other engine's. */
  private static BackupSink meetingAt(CyclicBarrier meeting, String operation, BackupSink sink) {
    AtomicBoolean hasMet = new AtomicBoolean();
    return HookedStore.on(
        sink,
        what -> {
          if (what.startsWith(operation) && hasMet.compareAndSet(false, true)) {
            await(meeting);
          }
        });
  }

  /** A sink through which each thread's first snapshot waits for the other one's. */
  private static BackupSink meetingAtCommit(CyclicBarrier meeting, BackupSink sink) {
    ThreadLocal<Integer> steps = ThreadLocal.withInitial(() -> 0);
    return HookedStore.on(
        sink,
        what -> {
          if (what.startsWith("put w/host-a/manifests/") && steps.get() == 0) {
            steps.set(1);
          } else if (what.startsWith("put log/host-a/") && steps.get() == 1) {
            steps.set(2);
            await(meeting);
          }
        });
  }

  private static void await(CyclicBarrier meeting) {
    try {
      meeting.await(60, TimeUnit.SECONDS);
    } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
      throw new AssertionError("the other engine did not come", e);
    }
  }

  private static BytesSource content(String name, long seed) {
    return new BytesSource("config").with(name, Fixture.random(seed, 30_000));
  }

  private static <T> List<T> atOnce(CyclicBarrier meeting, Callable<T> one, Callable<T> two)
      throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      List<T> results = new ArrayList<>();
      List<Callable<T>> both = List.of(orBreak(meeting, one), orBreak(meeting, two));
      for (Future<T> result : threads.invokeAll(both)) {
        results.add(result.get());
      }
      return results;
    } finally {
      threads.shutdown();
    }
  }

  /** Whoever fails before the meeting lets the other one go. */
  private static <T> Callable<T> orBreak(CyclicBarrier meeting, Callable<T> task) {
    return () -> {
      try {
        return task.call();
      } catch (Exception e) {
        meeting.reset();
        throw e;
      }
    };
  }
}
