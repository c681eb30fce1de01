package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.RecoveryWindow;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.model.StreamMark;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.retention.Retention;
import org.stellaops.backup.retention.RetentionRules;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.StreamSession;

/** What of a recorded history stays: whatever a kept capture needs, and nothing before it. */
class PruneStreamIT extends PrunedHistory {
  @Override
  Coverage replayed(String snapshot) throws IOException {
    Coverage coverage = super.replayed(snapshot);
    assertWhole();
    return coverage;
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

  private static void gap(StreamSession session, long from, long to) throws IOException {
    session.gap(new StreamGap(ToyLog.at(1, from), ToyLog.at(1, to), "it was removed"));
  }

  @Test
  void a_merge_that_begins_within_what_was_swept_keeps_the_chain() throws Exception {
    backUp("a", 0, 10);
    record(
        session -> {
          pieces(0, 20).follow(session);
          ScriptedStream.merge(session, 1, 0, 20);
          ScriptedStream.append(session, 1, 20, 30);
        });
    backUp("b", 100, 110);
    pruning.prune(1);
    record(
        session -> {
          gap(session, 30, 100);
          pieces(100, 120).follow(session);
          assertTrue(pruning.prune(1).deletedObjects() > 0);
          ScriptedStream.merge(session, 1, 100, 120);
        });
    assertWhole();
    assertEquals(List.of(ToyLog.span(1, 100, 120)), replayed("b").ranges());
    assertTrue(pruning.prune(1).isOk());
    record(pieces(120, 130));
    assertWhole();
  }

  @Test
  void entries_that_could_not_be_removed_go_with_the_next_prune() throws Exception {
    backUp("a", 0, 10);
    record(pieces(0, 50));
    backUp("b", 50, 60);
    pruning.prune(1);
    record(pieces(50, 70));
    BackupSink failing =
        HookedStore.on(
            sink,
            operation -> {
              if (operation.startsWith("delete log/")) {
                throw new IOException("gone");
              }
            });
    PruneReport failed = new Pruning(host, failing).prune(1);
    assertEquals(5, failed.problems().size(), failed.toString());
    assertEquals(7, entries());
    assertTrue(pruning.prune(1).isOk());
    assertEquals(2, entries());
    assertWhole();
  }

  @Test
  void merged_entries_that_were_swept_together_go_together() throws Exception {
    backUp("a", 0, 10);
    record(
        session -> {
          for (long at = 0; at < 60; at += 20) {
            pieces(at, at + 20).follow(session);
            ScriptedStream.merge(session, 1, at, at + 20);
          }
          ScriptedStream.append(session, 1, 60, 70);
        });
    assertEquals(10, entries());
    backUp("b", 60, 65);
    pruning.prune(1);
    record(pieces(70, 80));
    assertTrue(pruning.prune(1).isOk());
    assertEquals(2, entries());
    assertWhole();
  }

  @Test
  void a_sealed_writer_keeps_no_history_that_nobody_needs() throws Exception {
    backUp("a", 0, 10);
    record(pieces(0, 50));
    backUp("b", 50, 60);
    pruning.prune(1);
    pruning.prune(1);
    assertEquals(5, streamObjects(), "its stream does not know");
    WriterKeyFile admin = WriterKeyFile.at(root.resolve("admin.key")).named("ops-admin");
    admin.open().close();
    Trust trust =
        pruning
            .trust()
            .and(new Trust(List.of(new Trust.Signer(List.of("admin"), admin.id().publicKey()))));
    try (BackupRepository repository =
        BackupRepository.at(sink).trust(trust).signedBy(admin).open()) {
      repository.keys().seal("host-a", "it is retired");
    }
    try (Janitor janitor = pruning.with(1).trust(trust).open()) {
      Pruning.prune(janitor);
      PruneReport report = Pruning.prune(janitor);
      assertTrue(report.isOk(), report.toString());
    }
    assertEquals(0, streamObjects());
    try (BackupRepository repository = BackupRepository.at(sink).trust(trust).open()) {
      assertEquals(List.of(), repository.catalog().damage());
    }
  }

  @Test
  void gaps_and_marks_go_with_the_history_that_nobody_needs() throws Exception {
    backUp("a", 0, 10);
    record(
        session -> {
          session.mark(new StreamMark("early", ToyLog.at(1, 5), ToyLog.time(5)));
          ScriptedStream.append(session, 1, 0, 10);
          gap(session, 10, 30);
          ScriptedStream.append(session, 1, 30, 40);
          gap(session, 40, 60);
          ScriptedStream.append(session, 1, 60, 70);
        });
    backUp("b", 50, 55);
    pruning.prune(1);
    record(pieces(70, 80));
    assertEquals(6, entries());
    assertTrue(pruning.prune(1).isOk());
    assertEquals(3, entries(), "what ends behind the beginning of what is needed stays");
    try (BackupRepository repository = repository()) {
      Coverage left = repository.catalog().streams().get(0);
      assertEquals(
          List.of(60L), left.gaps().stream().map(g -> g.to().offset()).toList(), left.toString());
      assertEquals(List.of(), left.marks());
    }
    record(pieces(80, 90));
    assertWhole();
  }

  @Test
  void an_entry_stays_with_a_gap_that_is_needed_though_its_slices_went() throws Exception {
    backUp("a", 0, 10);
    record(
        session -> {
          pieces(0, 20).follow(session);
          gap(session, 20, 60);
          ScriptedStream.merge(session, 1, 0, 20);
          ScriptedStream.append(session, 1, 60, 70);
        });
    backUp("b", 50, 55);
    pruning.prune(1);
    record(pieces(70, 80));
    assertTrue(pruning.prune(1).isOk());
    assertEquals(3, entries());
    try (BackupRepository repository = repository()) {
      assertEquals(1, repository.catalog().streams().get(0).gaps().size());
    }
    assertWhole();
  }

  @Test
  void the_newest_entry_stays_and_what_no_snapshot_needs_any_history_of() throws Exception {
    backUp("a", 0, 10);
    record(
        session -> {
          ScriptedStream.append(session, 1, 0, 10);
          gap(session, 10, 30);
        });
    backUp("b", 50, 55);
    pruning.prune(1);
    record(session -> gap(session, 30, 50));
    assertTrue(pruning.prune(1).isOk());
    assertEquals(1, entries(), "where the recorder goes on");
    record(pieces(50, 60));
    assertEquals(List.of(ToyLog.span(1, 50, 60)), replayed("b").ranges());
    assertTrue(pruning.prune(1).isOk());
    assertEquals(1, entries());
    record(pieces(60, 70));
    assertWhole();
  }

  @Test
  void without_a_snapshot_of_its_lineage_everything_recorded_stays() throws Exception {
    host.backUp(new BytesSource("config").with("a", new byte[9]), "a").requireGood();
    record(
        session -> {
          ScriptedStream.append(session, 1, 0, 10);
          gap(session, 10, 30);
          ScriptedStream.append(session, 1, 30, 40);
        });
    for (int i = 0; i < 2; i++) {
      pruning.prune(1);
      assertEquals(3, entries());
      assertEquals(2, streamObjects());
    }
  }

  private String newestSnapshot() {
    return sink.snapshot().entrySet().stream()
        .filter(e -> e.getKey().value().startsWith("log/host-a/"))
        .map(e -> new String(e.getValue(), StandardCharsets.US_ASCII))
        .filter(e -> e.contains("\n# kind: snapshot\n"))
        .reduce((older, newer) -> newer)
        .orElseThrow();
  }

  private void plant(byte[] entry) throws IOException {
    sink.raw().write(ObjectName.of("log/zzz/0000000001.entry"), entry);
  }

  private WriterKeyFile stranger() throws IOException {
    WriterKeyFile keys = WriterKeyFile.at(root.resolve("stranger.key")).named("zzz");
    keys.open().close();
    return keys;
  }

  @Test
  void a_damaged_log_of_nobody_known_keeps_no_history() throws Exception {
    backUp("a", 0, 10);
    record(pieces(0, 50));
    backUp("b", 50, 60);
    plant("nothing of the kind".getBytes(StandardCharsets.US_ASCII));
    pruning.prune(1);
    record(pieces(50, 60));
    PruneReport report = pruning.prune(1);
    assertEquals(1, streamObjects(), report.toString());
    assertEquals(List.of("w/zzz"), report.problems().stream().map(Finding::subject).toList());
    assertTrue(report.problems().get(0).found().contains("log/zzz/"), report.toString());
  }

  @Test
  void a_log_of_nobody_known_begins_no_history_where_there_was_none() throws Exception {
    ScriptedSource other =
        ScriptedSource.capturing(
            session -> {
              session.artifact(ArtifactName.of("base"), Form.CONTENT, out -> out.write(1));
              session.captured(InventoryItem.of("base", 1, 1));
              Position there = new Position("system-2", 1, 7, "0/7");
              session.span(new CaptureSpan(there, there, ToyLog.time(7)));
            });
    host.backUp(other, "a").requireGood();
    record(pieces(0, 50));
    String forged =
        Forgery.first(newestSnapshot(), "zzz")
            .replace("system-2", ToyLog.LINEAGE)
            .replace("0000000000000007:", "ffffffffffffffff:")
            .signedBy(stranger());
    plant(forged.getBytes(StandardCharsets.US_ASCII));
    for (int i = 0; i < 3; i++) {
      pruning.prune(1);
      long at = 50 + i * 10L;
      record(pieces(at, at + 10));
    }
    assertEquals(8, streamObjects());
    assertEquals(8, entries());
  }

  @Test
  void what_nobody_known_needs_of_a_history_stays() throws Exception {
    backUp("a", 0, 10);
    record(pieces(0, 50));
    String forged = Forgery.first(newestSnapshot(), "zzz").signedBy(stranger());
    plant(forged.getBytes(StandardCharsets.US_ASCII));
    backUp("b", 50, 60);
    pruning.prune(1);
    record(pieces(50, 60));
    pruning.prune(1);
    assertEquals(6, streamObjects());
  }

  @Test
  void a_stream_of_one_entry_that_was_let_go_goes_on_where_it_ended() throws Exception {
    backUp("a", 0, 10);
    record(session -> ScriptedStream.append(session, 1, 0, 50));
    backUp("b", 60, 70);
    assertTrue(pruning.prune(1).isOk());
    List<Optional<Position>> durable = new ArrayList<>();
    record(
        session -> {
          durable.add(session.durable());
          pieces(50, 80).follow(session);
        });
    assertEquals(List.of(Optional.of(ToyLog.at(1, 50))), durable);
    assertTrue(pruning.prune(1).isOk());
    assertEquals(3, streamObjects(), "it was let go");
    record(pieces(80, 90));
    assertEquals(90, replayed("b").ranges().get(0).to().offset());
  }
}
