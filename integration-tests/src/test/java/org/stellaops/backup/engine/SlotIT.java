package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
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
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.RunRecord;
import org.stellaops.backup.model.RunRecord.State;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.spi.BackupListener;

/** Several instances of a service with one schedule: each of its slots is run once. */
class SlotIT {
  private static final int SLOTS = 50;
  private static final Duration LONG = Duration.ofMinutes(1);

  @TempDir Path root;
  private AgeIdentity owner;
  private Host host;

  @BeforeEach
  void generate() throws IOException {
    owner = AgeIdentity.generate();
    Path directory = root.resolve("host");
    host =
        new Host(
                directory, owner.recipient(), DirectorySink.at(EngineProcess.repository(directory)))
            .withKeys();
  }

  @AfterEach
  void wipe() {
    owner.close();
  }

  private List<RunRecord> runs() throws IOException {
    try (BackupRepository repository = host.repository(owner)) {
      assertEquals(List.of(), repository.catalog().damage());
      return repository.catalog().runs();
    }
  }

  private BackupEngine engine(String instance) throws BackupException {
    return SlotProcess.engine(host, instance, SlotProcess.content(0));
  }

  @Test
  void three_processes_run_each_of_fifty_slots_exactly_once() throws Exception {
    PackedClassPath classes = PackedClassPath.in(root);
    List<SlotProcess> processes = new ArrayList<>();
    List<String> said = new ArrayList<>();
    try {
      for (String instance : List.of("one", "two", "three")) {
        processes.add(SlotProcess.racing(host, instance, SLOTS, classes.options()));
      }
      for (SlotProcess process : processes) {
        process.awaitLine("ready");
      }
      for (SlotProcess process : processes) {
        process.go();
      }
      for (SlotProcess process : processes) {
        said.addAll(process.rest());
      }
    } finally {
      processes.forEach(SlotProcess::close);
    }
    TreeMap<String, Long> counts =
        said.stream().collect(Collectors.groupingBy(l -> l, TreeMap::new, Collectors.counting()));
    TreeMap<String, Long> expected = new TreeMap<>();
    IntStream.range(0, SLOTS).forEach(s -> expected.put("ran " + s, 1L));
    IntStream.range(0, SLOTS).forEach(s -> expected.put("taken " + s, 2L));
    assertEquals(expected, counts);
    List<RunRecord> runs = runs();
    assertEquals(SLOTS, runs.size());
    assertTrue(runs.stream().allMatch(r -> r.state() == State.COMMITTED));
    assertEquals(SLOTS, runs.stream().map(r -> r.slot().orElseThrow()).distinct().count());
    try (BackupRepository repository = host.repository(owner)) {
      assertEquals(SLOTS, repository.catalog().list(SnapshotFilter.all()).size());
    }
  }

  @Test
  void a_slot_is_run_again_when_the_process_that_had_it_is_killed() throws Exception {
    PackedClassPath classes = PackedClassPath.in(root);
    try (SlotProcess leader = SlotProcess.waiting(host, "leader", 7, classes.options())) {
      leader.awaitLine("ready").go().awaitLine("capturing");
      try (BackupEngine engine = engine("other")) {
        // It lives, so the slot is its own.
        assertEquals(Optional.empty(), engine.run(SlotProcess.slot(7), BackupRequest.full()));
      }
      leader.kill();
    }
    assertTrue(runs().get(0).isOpen(), "whether it is silent by now");
    try (BackupEngine engine = engine("other")) {
      BackupReport report =
          engine.run(SlotProcess.slot(7), BackupRequest.full().orWait(LONG)).orElseThrow();
      List<RunRecord> runs = runs();
      assertEquals(
          List.of(State.COMMITTED, State.ABANDONED), runs.stream().map(RunRecord::state).toList());
      assertEquals(report.run(), runs.get(0).run());
      assertEquals(2, runs.get(0).attempt());
      assertEquals(Optional.of(runs.get(1).run()), runs.get(0).retries());
      assertEquals(Optional.empty(), engine.run(SlotProcess.slot(7), BackupRequest.full()));
    }
  }

  @Test
  void a_listener_hears_of_a_run_that_was_not_needed() throws Exception {
    List<String> heard = new ArrayList<>();
    BackupListener listener =
        new BackupListener() {
          @Override
          public void runStarted(RunId run, Set<SourceName> sources) {
            heard.add("started");
          }

          @Override
          public void runFinished(BackupReport report) {
            heard.add("finished");
          }

          @Override
          public void runNotNeeded(RunId run) {
            heard.add("not needed");
          }
        };
    try (BackupEngine engine =
        host.with(SlotProcess.content(0), host.sink).listener(listener).open()) {
      assertTrue(engine.run(SlotProcess.slot(1), BackupRequest.full()).isPresent());
      assertTrue(engine.run(SlotProcess.slot(1), BackupRequest.full()).isEmpty());
    }
    assertEquals(List.of("started", "finished", "started", "not needed"), heard);
  }

  /** It is frozen past its lease, another instance takes over, and then it goes on. */
  @Test
  void a_frozen_and_revived_process_cannot_commit() throws Exception {
    PackedClassPath classes = PackedClassPath.in(root);
    BackupReport report;
    try (SlotProcess owned = SlotProcess.waiting(host, "frozen", 7, classes.options())) {
      owned.awaitLine("ready").go().awaitLine("capturing");
      owned.signal("STOP");
      try (BackupEngine engine = engine("other")) {
        report = engine.run(SlotProcess.slot(7), BackupRequest.full().orWait(LONG)).orElseThrow();
      }
      owned.signal("CONT");
      owned.go();
      assertEquals(List.of(CoreFailure.FENCED.code()), owned.rest());
    }
    assertEquals(
        List.of(State.COMMITTED, State.ABANDONED), runs().stream().map(RunRecord::state).toList());
    try (BackupRepository repository = host.repository(owner)) {
      assertEquals(
          List.of(report.snapshot()),
          repository.catalog().list(SnapshotFilter.all()).stream().map(s -> s.id()).toList());
    }
  }

  @Test
  void a_slot_that_failed_is_run_again_only_as_often_as_the_plan_allows() throws Exception {
    try (BackupEngine engine =
        SlotProcess.engine(
            host,
            "one",
            ScriptedSource.capturing(
                session -> {
                  throw new IOException("no such table");
                }))) {
      try {
        engine.run(SlotProcess.slot(1), BackupRequest.full());
      } catch (BackupException.Source e) {
        assertSame(CoreFailure.SOURCE_FAILED, e.code());
      }
    }
    try (BackupEngine engine = engine("one")) {
      assertEquals(Optional.empty(), engine.run(SlotProcess.slot(1), BackupRequest.full()));
      // By hand it goes on.
      engine.retry(runs().get(0).run()).requireGood();
      assertEquals(SlotProcess.slot(1), runs().get(0).slot().orElseThrow());
    }
  }
}
