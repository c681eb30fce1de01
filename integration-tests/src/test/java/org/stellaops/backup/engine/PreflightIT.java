package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CheckResult.Verdict;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.MemorySink;

/** What is asked before a run, of sources and of the sink, and that asking leaves nothing. */
class PreflightIT {
  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private final AtomicBoolean isDown = new AtomicBoolean();
  private AgeIdentity owner;
  private Host host;

  @BeforeEach
  void makeHost() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    owner.close();
    sink.assertNothingOpen();
    host.assertWorkspaceClean();
  }

  /** The sink, until it is down. */
  private BackupSink throughNetwork() {
    return HookedStore.on(
        sink,
        operation -> {
          if (isDown.get()) {
            throw new IOException("no route to host");
          }
        });
  }

  private static ScriptedSource sound() {
    return ScriptedSource.capturing(
        session -> {
          throw new AssertionError("a preflight captures nothing");
        });
  }

  @Test
  void every_problem_of_every_source_and_of_the_sink_is_told_at_once() throws Exception {
    BackupPlan plan =
        host.plan(throughNetwork())
            .source("sound", sound())
            .source(
                "twice",
                sound()
                    .checking(
                        checks -> {
                          checks.add(CheckResult.fail("check.port", "closed", "open it"));
                          checks.add(CheckResult.warn("check.version", "old", "upgrade"));
                          checks.add(CheckResult.fail("check.rights", "none", "grant them"));
                        }))
            .source(
                "broken",
                sound()
                    .checking(
                        checks -> {
                          throw new IOException("connection refused");
                        }))
            .source("files", FileSource.in(root).include("host/*.key").required("absent.yaml"))
            .build();
    try (BackupEngine engine = host.with(plan).open()) {
      isDown.set(true);
      List<CheckResult> results = engine.preflight(BackupRequest.full());
      assertEquals(
          List.of(
              "sound: check.script PASS",
              "twice: check.port FAIL",
              "twice: check.version WARN",
              "twice: check.rights FAIL",
              "broken: check FAIL"),
          results.subList(0, 5).stream().map(r -> r.id() + " " + r.verdict()).toList());
      assertEquals("connection refused", results.get(4).evidence());
      assertTrue(
          results.stream()
              .filter(r -> r.id().startsWith("files: ") && r.verdict() == Verdict.FAIL)
              .anyMatch(r -> r.evidence().contains("absent.yaml")),
          results.toString());
      CheckResult last = results.get(results.size() - 1);
      assertEquals("sink: check.log FAIL", last.id() + " " + last.verdict());
      assertEquals("no route to host", last.evidence());
      for (CheckResult result : results) {
        assertEquals(
            result.verdict() == Verdict.PASS, result.remedy().isEmpty(), result.toString());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1000, PASS", "4611686018427387904, WARN"})
  void what_sources_expect_is_held_against_the_room_in_the_store(long bytes, Verdict verdict)
      throws Exception {
    BackupPlan plan =
        host.plan(DirectorySink.at(root.resolve("store")))
            .source("sound", sound().checking(checks -> checks.expect(bytes)))
            .build();
    try (BackupEngine engine = host.with(plan).open()) {
      List<CheckResult> results = engine.preflight(BackupRequest.full());
      CheckResult room =
          results.stream().filter(r -> r.id().equals("sink: check.room")).findFirst().orElseThrow();
      assertEquals(verdict, room.verdict());
      assertTrue(
          room.evidence().contains("may take " + bytes / 1_000_000 + " MB"), room.evidence());
    }
  }

  @Test
  void asking_stores_nothing_and_captures_nothing() throws Exception {
    BackupPlan plan = host.plan(throughNetwork()).source("sound", sound()).build();
    try (BackupEngine engine = host.with(plan).open()) {
      var before = sink.snapshot().keySet();
      List<CheckResult> results = engine.preflight(BackupRequest.full());
      assertEquals(
          List.of("sound: check.script", "sink: check.log"),
          results.stream().map(CheckResult::id).toList());
      assertTrue(results.stream().allMatch(r -> r.verdict() == Verdict.PASS), results.toString());
      assertEquals(before, sink.snapshot().keySet());
    }
  }

  @Test
  void only_the_sources_that_are_meant_are_asked() throws Exception {
    BackupPlan plan =
        host.plan(sink)
            .source("one", sound())
            .source("two", sound().checked(CheckResult.fail("check.port", "closed", "open it")))
            .build();
    try (BackupEngine engine = host.with(plan).open()) {
      List<CheckResult> results = engine.preflight(BackupRequest.full().only("one"));
      assertFalse(results.stream().anyMatch(r -> r.verdict() == Verdict.FAIL), results.toString());
      var e =
          assertThrows(
              BackupException.Refused.class,
              () -> engine.preflight(BackupRequest.full().only("config")));
      assertSame(CoreFailure.AMBIGUOUS, e.code());
    }
  }

  @Test
  void a_log_that_cannot_be_continued_is_told_before_a_run_meets_it() throws Exception {
    host.backUp(BytesSource.of("a", new byte[100]), "first");
    BackupPlan plan = host.plan(sink).source("sound", sound()).build();
    try (BackupEngine engine = host.with(plan).open()) {
      sink.raw().write(ObjectName.of("log/host-a/0000000002.entry"), new byte[] {'x'});
      List<CheckResult> results = engine.preflight(BackupRequest.full());
      CheckResult last = results.get(results.size() - 1);
      assertEquals("sink: check.log FAIL", last.id() + " " + last.verdict());
      assertTrue(last.evidence().contains("0000000002.entry"), last.evidence());
    }
  }
}
