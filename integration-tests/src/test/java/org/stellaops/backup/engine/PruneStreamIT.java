package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.RecoveryWindow;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.retention.Retention;
import org.stellaops.backup.retention.RetentionRules;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.MemorySink;

/** What of a recorded history stays: whatever a kept capture needs, and nothing before it. */
@Timeout(300)
class PruneStreamIT {
  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private AgeIdentity owner;
  private Host host;
  private Pruning pruning;

  @BeforeEach
  void make() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    pruning = new Pruning(host).withKeys();
  }

  @AfterEach
  void nothingIsOpen() {
    owner.close();
    sink.assertNothingOpen();
  }

  private BackupEngine engine(ScriptedSource source, ScriptedStream stream) throws IOException {
    return host.with(
            host.plan(sink).source(Host.SOURCE, source).stream(StreamHost.STREAM, stream)
                .janitor(pruning.keys())
                .build())
        .open();
  }

  private void backUp(String name, long from, long to) throws IOException {
    try (BackupEngine engine =
        engine(StreamHost.capture(1, from, to), ScriptedStream.following(s -> {}))) {
      engine.backup(BackupRequest.full().named(name)).requireGood();
    }
  }

  private void record(ScriptedStream.Follow script) throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    try (BackupEngine engine =
        engine(StreamHost.capture(1, 0, 10), ScriptedStream.doing(script, done))) {
      var stream = engine.stream(StreamHost.STREAM);
      assertTrue(done.await(120, TimeUnit.SECONDS), () -> stream.status().toString());
    }
  }

  private static ScriptedStream.Follow pieces(long from, long to) {
    return session -> {
      for (long at = from; at < to; at += 10) {
        ScriptedStream.append(session, 1, at, at + 10);
      }
    };
  }

  private BackupRepository repository() throws IOException {
    return BackupRepository.at(sink)
        .identity(owner)
        .trust(pruning.trust())
        .executor(Runnable::run)
        .open();
  }

  /** Every byte of the history from the capture on is read and compared. */
  private Coverage replayed(String snapshot) throws IOException {
    ReplayTarget target = new ReplayTarget();
    try (BackupRepository repository = repository()) {
      var plan =
          repository.planRestore(
              RestoreRequest.of(SnapshotRef.named(snapshot))
                  .upTo(RecoveryPoint.latest())
                  .target(Host.SOURCE, target));
      assertTrue(plan.isPossible(), plan.describe());
      var report = repository.check(Verification.full(owner));
      assertTrue(report.isIntact(), report.toString());
      assertEquals(List.of(), repository.catalog().damage());
    }
    return target.coverage.orElseThrow();
  }

  private long streamObjects() {
    return sink.snapshot().keySet().stream().filter(n -> n.value().contains("/stream/")).count();
  }

  private long entries() {
    return sink.snapshot().keySet().stream()
        .filter(n -> n.value().startsWith("log/" + StreamHost.LOG + "/"))
        .count();
  }

  @Test
  void every_kept_base_can_be_taken_to_the_end_and_what_none_needs_goes() throws Exception {
    backUp("a", 0, 10);
    record(pieces(0, 100));
    backUp("b", 100, 110);
    record(pieces(100, 200));
    backUp("c", 200, 210);
    record(
        session -> {
          pieces(200, 300).follow(session);
          ScriptedStream.merge(session, 1, 250, 300);
        });
    PruneReport doomed = pruning.prune(2);
    assertTrue(doomed.isOk(), doomed.toString());
    assertEquals(ToyLog.span(1, 0, 300), replayed("b").ranges().get(0), "nothing is gone yet");
    backUp("d", 300, 310);
    record(pieces(300, 320));
    long before = streamObjects();
    PruneReport swept = pruning.prune(3);
    assertTrue(swept.isOk(), swept.toString());
    assertEquals(before - 15, streamObjects(), "ten too old, five that were merged: " + swept);
    for (String kept : List.of("b", "c", "d")) {
      assertEquals(List.of(ToyLog.span(1, 100, 320)), replayed(kept).ranges());
    }
    long slots = entries();
    assertTrue(slots <= 18, "slots of what went are gone: " + slots);
    record(pieces(320, 340));
    assertEquals(List.of(ToyLog.span(1, 100, 340)), replayed("b").ranges());
  }

  @Test
  void a_merge_of_what_was_doomed_meanwhile_leaves_it_out() throws Exception {
    backUp("a", 0, 10);
    record(pieces(0, 50));
    backUp("b", 40, 45);
    record(
        session -> {
          pruning.prune(1);
          ScriptedStream.merge(session, 1, 40, 50);
          ScriptedStream.append(session, 1, 50, 60);
        });
    assertEquals(60, replayed("b").ranges().get(0).to().offset());
    pruning.prune(1);
    backUp("c", 60, 61);
    record(pieces(60, 70));
    PruneReport report = pruning.prune(9);
    assertTrue(report.isOk(), report.toString());
    assertTrue(replayed("b").ranges().get(0).from().offset() <= 40);
    assertEquals(70, replayed("b").ranges().get(0).to().offset());
    assertFalse(replayed("b").ranges().isEmpty());
  }

  /** Every instant there ever was is wanted. */
  private Janitor.Builder wantingAll() throws IOException {
    return pruning
        .with(9)
        .retain(
            RetentionRules.of(Retention.recoverableFor(Duration.ofDays(10_000)))
                .minimumAge(Duration.ZERO));
  }

  @Test
  void a_window_that_is_shorter_than_its_policy_is_told_to_whoever_prunes() throws Exception {
    backUp("a", 0, 10);
    record(pieces(0, 100));
    List<RecoveryWindow> told = new ArrayList<>();
    BackupListener gauge =
        new BackupListener() {
          @Override
          public void recoveryWindow(RecoveryWindow window) {
            told.add(window);
          }
        };
    try (Janitor janitor = wantingAll().listener(gauge).open()) {
      assertTrue(Pruning.prune(janitor).isOk());
      assertEquals(
          List.of(new RecoveryWindow.Span(ToyLog.time(10), ToyLog.time(100))), told.get(0).spans());
      assertEquals(List.of(), told.get(0).holes());

      record(
          session -> {
            session.gap(new StreamGap(ToyLog.at(1, 100), ToyLog.at(1, 200), "it was removed"));
            ScriptedStream.append(session, 1, 200, 210);
          });
      backUp("b", 200, 205);
      PruneReport report = Pruning.prune(janitor);
      assertEquals(
          List.of(CoreFailure.WINDOW_SHORT),
          report.problems().stream().map(Finding::code).toList());
      assertEquals(told.get(1), report.windows().get(0));
      assertEquals(
          List.of(new RecoveryWindow.Span(ToyLog.time(100), ToyLog.time(205))),
          told.get(1).holes());
      assertEquals(told.get(1).holes(), janitor.recoveryWindows().get(0).holes());
    }
  }

  @Test
  void letting_go_of_what_the_window_begins_with_makes_it_short() throws Exception {
    backUp("a", 0, 10);
    record(pieces(0, 100));
    backUp("b", 90, 95);
    assertTrue(pruning.prune(1).isOk(), "this policy promises no instants");
    try (Janitor janitor = wantingAll().open()) {
      assertEquals(
          List.of(new RecoveryWindow.Span(ToyLog.time(10), ToyLog.time(95))),
          janitor.recoveryWindows().get(0).holes());
    }
  }

  @Test
  void what_was_removed_is_reported_although_the_windows_cannot_be_read() throws Exception {
    backUp("a", 0, 10);
    record(pieces(0, 50));
    backUp("b", 50, 60);
    pruning.prune(1);
    backUp("c", 60, 70);
    BackupSink failing =
        HookedStore.on(
            sink,
            operation -> {
              if (operation.equals("list w/host-a/stream/")) {
                throw new IOException("gone");
              }
            });
    try (Janitor janitor =
        new Pruning(host, failing)
            .with(9)
            .retain(
                RetentionRules.of(Retention.recoverableFor(Duration.ofDays(10_000)))
                    .minimumAge(Duration.ZERO))
            .open()) {
      PruneReport report = Pruning.prune(janitor);
      assertTrue(report.deletedObjects() > 0, report.toString());
      assertEquals(
          List.of("recovery windows"),
          report.problems().stream().map(Finding::subject).toList(),
          report.toString());
    }
  }

  @Test
  void what_no_stream_follows_has_no_window() throws Exception {
    backUp("a", 0, 10);
    try (Janitor janitor = wantingAll().open()) {
      assertEquals(List.of(), janitor.recoveryWindows());
    }
  }
}
