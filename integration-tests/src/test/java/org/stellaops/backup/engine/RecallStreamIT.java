package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RecallReport;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.spi.BackupSink;

/** A snapshot that is recalled brings its history back, or says what of that is gone. */
class RecallStreamIT extends PrunedHistory {
  private RecallReport planned(SnapshotId snapshot) throws IOException {
    var before = sink.snapshot().keySet();
    try (Janitor janitor = pruning.with(1).open()) {
      RecallReport report = janitor.planRecall(snapshot);
      assertEquals(before, sink.snapshot().keySet(), "a plan changes nothing");
      return report;
    }
  }

  private RecallReport recall(SnapshotId snapshot, BackupSink through) throws IOException {
    try (Janitor janitor = new Pruning(host, through).with(1).open()) {
      return janitor.recall(snapshot, "it is needed", "ann");
    }
  }

  private RecallReport recall(SnapshotId snapshot) throws IOException {
    return recall(snapshot, sink);
  }

  private static void assertTold(RecallReport report, String snapshot, SliceSpan left) {
    assertFalse(report.isWhole());
    assertEquals(List.of(SourceName.of(Host.SOURCE)), report.sources());
    assertEquals(1, report.findings().size(), report.toString());
    Finding finding = report.findings().get(0);
    assertEquals(CoreFailure.HISTORY_GONE, finding.code());
    assertEquals(snapshot + "/" + Host.SOURCE, finding.subject());
    assertTrue(finding.found().endsWith("there is [" + left + "]"), finding.found());
  }

  @Test
  void history_that_is_only_doomed_comes_back_with_it() throws Exception {
    SnapshotId first = backUp("a", 0, 10);
    record(pieces(0, 50));
    backUp("b", 50, 60);
    assertTrue(pruning.prune(1).doomedObjects() > 5);
    RecallReport planned = planned(first);
    assertTrue(planned.isWhole(), planned.toString());
    assertEquals(first, planned.snapshot());
    assertEquals(List.of(SourceName.of(Host.SOURCE)), planned.sources());
    assertEquals(planned, recall(first));
    // A merge leaves out what is doomed.
    record(
        session -> {
          pieces(50, 70).follow(session);
          ScriptedStream.merge(session, 1, 50, 70);
        });
    assertEquals(List.of(ToyLog.span(1, 0, 70)), replayed("a").ranges());
    for (int i = 0; i < 3; i++) {
      assertTrue(pruning.prune(9).isOk());
      backUp("c" + i, 70, 71);
      long at = 70 + i * 10L;
      record(pieces(at, at + 10));
    }
    assertEquals(List.of(ToyLog.span(1, 0, 100)), replayed("a").ranges());
    assertWhole();
  }

  @Test
  void a_recorder_that_goes_on_meanwhile_leaves_nothing_out_that_was_recalled() throws Exception {
    SnapshotId first = backUp("a", 0, 10);
    record(pieces(0, 50));
    backUp("b", 50, 60);
    assertTrue(pruning.prune(1).isOk());
    record(
        session -> {
          ScriptedStream.append(session, 1, 50, 60);
          assertTrue(recall(first).isWhole());
          ScriptedStream.append(session, 1, 60, 70);
          ScriptedStream.merge(session, 1, 50, 70);
        });
    assertEquals(List.of(ToyLog.span(1, 0, 70)), replayed("a").ranges());
    assertTrue(pruning.prune(9).isOk());
    assertWhole();
  }

  @Test
  void history_that_was_swept_is_told_and_the_rest_comes_back() throws Exception {
    SnapshotId first = backUp("a", 0, 10);
    record(pieces(0, 50));
    backUp("b", 50, 60);
    assertTrue(pruning.prune(1).isOk());
    // The stream knows of it, the writer does not yet: its packs stay, and are recalled.
    record(pieces(50, 70));
    assertTrue(pruning.prune(1).deletedObjects() >= 5);
    RecallReport planned = planned(first);
    assertTold(planned, "a", ToyLog.span(1, 50, 70));
    assertEquals(planned, recall(first));
    try (BackupRepository repository = repository()) {
      var asItIs =
          repository.planRestore(
              RestoreRequest.of(SnapshotRef.named("a")).target(Host.SOURCE, new ReplayTarget()));
      assertTrue(asItIs.isPossible(), asItIs.describe());
    }
    assertTrue(pruning.prune(9).isOk());
    record(pieces(70, 80));
    assertEquals(List.of(ToyLog.span(1, 50, 80)), replayed("b").ranges());
    assertWhole();
  }

  @Test
  void history_that_a_merge_left_out_is_told() throws Exception {
    SnapshotId first = backUp("a", 0, 10);
    record(pieces(0, 50));
    backUp("b", 40, 45);
    assertTrue(pruning.prune(1).isOk());
    record(
        session -> {
          ScriptedStream.append(session, 1, 50, 60);
          ScriptedStream.merge(session, 1, 40, 60);
        });
    RecallReport planned = planned(first);
    assertTold(planned, "a", ToyLog.span(1, 40, 60));
    assertEquals(planned, recall(first));
    assertTrue(pruning.prune(9).isOk());
    assertWhole();
  }

  @Test
  void what_a_merge_leaves_out_while_it_is_recalled_is_told_in_the_end() throws Exception {
    SnapshotId first = backUp("a", 0, 10);
    record(pieces(0, 50));
    backUp("b", 40, 45);
    assertTrue(pruning.prune(1).isOk());
    assertTrue(planned(first).isWhole());
    boolean[] isMerged = {false};
    BackupSink merging =
        HookedStore.on(
            sink,
            operation -> {
              if (operation.startsWith("put log/retention/") && !isMerged[0]) {
                isMerged[0] = true;
                mergeNow();
              }
            });
    assertTold(recall(first, merging), "a", ToyLog.span(1, 40, 60));
    assertTrue(isMerged[0]);
    assertWhole();
  }

  private void mergeNow() {
    try {
      record(
          session -> {
            ScriptedStream.append(session, 1, 50, 60);
            ScriptedStream.merge(session, 1, 40, 60);
          });
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void it_is_taken_back_although_nobody_can_look_what_of_its_history_is_there() throws Exception {
    SnapshotId first = backUp("a", 0, 10);
    record(pieces(0, 50));
    backUp("b", 50, 60);
    assertTrue(pruning.prune(1).isOk());
    BackupSink failing =
        HookedStore.on(
            sink,
            operation -> {
              if (operation.equals("list w/host-a/stream/")) {
                throw new IOException("gone");
              }
            });
    RecallReport report = recall(first, failing);
    assertFalse(report.isWhole());
    assertEquals("a", report.findings().get(0).subject());
    assertTrue(report.findings().get(0).found().contains("gone"), report.toString());
    assertEquals(List.of(ToyLog.span(1, 0, 50)), replayed("a").ranges());
  }

  @Test
  void where_nothing_was_recorded_nothing_is_missed() throws Exception {
    SnapshotId first = backUp("a", 0, 10);
    backUp("b", 50, 60);
    assertTrue(pruning.prune(1).isOk());
    RecallReport planned = planned(first);
    assertTrue(planned.isWhole(), planned.toString());
    assertEquals(planned, recall(first));
    assertWhole();
  }

  /** A history that ends before the capture is consistent was never there as a whole. */
  @Test
  void what_was_not_recorded_as_a_whole_is_told_too() throws Exception {
    SnapshotId first = backUp("a", 0, 10);
    record(session -> ScriptedStream.append(session, 1, 0, 9));
    backUp("b", 50, 60);
    assertTrue(pruning.prune(1).isOk());
    assertTold(planned(first), "a", ToyLog.span(1, 0, 9));
  }
}
