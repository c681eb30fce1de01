package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.RunRecord;
import org.stellaops.backup.model.RunRecord.State;
import org.stellaops.backup.model.Slot;
import org.stellaops.backup.model.SnapshotName;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.SealedFormat;
import org.stellaops.backup.spi.Stanza;

class RunLogTest {
  private static final Slot SLOT = Slot.at(Instant.parse("2026-11-20T02:00:00.123Z"));
  private static final RunId ONE = new RunId("one");
  private static final RunId TWO = new RunId("two");

  private final MapStore store = new MapStore();
  private final TestSigner signer = new TestSigner();
  private final Trust trust = Trust.owner(new WriterId("host-a", signer.publicKey()));
  private Optional<Digest> previous = Optional.empty();
  private int seq;

  private void write(Entry.Draft draft) throws Exception {
    write(draft, signer);
  }

  private void write(Entry.Draft draft, TestSigner by) throws Exception {
    byte[] entry = by.entry("host-a", ++seq, previous, draft);
    store.write("log/host-a/%010d.entry".formatted(seq), entry);
    previous = Optional.of(Digest.ofContent(entry));
  }

  private RunLog read() throws Exception {
    LogView view =
        new LogReader(
                new LogSlots(
                    store.access(), TestSigner.REPOSITORY, trust, "host-a", new SeenSignatures()))
            .read();
    return RunLog.of(view, true);
  }

  private static RunEntry run(RunId run, Optional<Slot> slot) {
    return new RunEntry(
        run,
        "nightly",
        slot,
        "pod-1",
        1,
        Optional.empty(),
        Duration.ofSeconds(90),
        new RunEntry.Request(
            CaptureKind.INCREMENTAL, List.of("a", "b/c"), Optional.of(SnapshotName.of("x"))));
  }

  private static Entry.Draft snapshot(RunId run) {
    return new Entry.Draft("snapshot").field("snapshot", run.value());
  }

  private List<State> states() throws Exception {
    return read().all().stream().map(r -> r.record().state()).toList();
  }

  @Test
  void what_a_run_says_of_itself_is_read_as_it_was_written() throws Exception {
    RunEntry entry =
        new RunEntry(
            ONE,
            "nightly",
            Optional.of(SLOT),
            "pod-1",
            3,
            Optional.of(TWO),
            Duration.ofSeconds(90),
            run(ONE, Optional.empty()).request());
    write(entry.draft());
    RunLog.Known known = read().find(ONE).orElseThrow();
    assertEquals(entry, known.entry());
    assertEquals(1, known.sequence());
    RunRecord record = known.record();
    assertEquals("host-a", record.writer());
    assertEquals(Optional.of(Slot.parse("2026-11-20T02:00:00Z")), record.slot());
    assertTrue(record.isOpen());
    assertEquals(Optional.empty(), record.ended());
  }

  @Test
  void the_first_entry_that_ends_a_run_is_how_it_ended() throws Exception {
    for (String id : List.of("a", "b", "c", "d")) {
      write(run(new RunId(id), Optional.empty()).draft());
    }
    write(RunEntry.failed(new RunId("a"), "STELLA-300"));
    write(RunEntry.abandon(new RunId("b"), TWO));
    write(snapshot(new RunId("c")));
    write(snapshot(new RunId("a")));
    write(RunEntry.abandon(new RunId("c"), TWO));
    assertEquals(List.of(State.FAILED, State.ABANDONED, State.COMMITTED, State.RUNNING), states());
    assertEquals(Optional.of("STELLA-300"), read().all().get(0).record().failure());
    assertEquals(1, read().open("nightly").size());
    assertEquals(0, read().open("other").size());
  }

  @Test
  void only_who_was_abandoned_is_fenced() throws Exception {
    write(run(ONE, Optional.empty()).draft());
    write(run(TWO, Optional.empty()).draft());
    read().requireOpen(ONE);
    read().requireOpen(new RunId("never-heard-of"));
    write(RunEntry.abandon(ONE, TWO));
    RunLog log = read();
    log.requireOpen(TWO);
    var fenced = assertThrows(BackupException.Stopped.class, () -> log.requireOpen(ONE));
    assertSame(CoreFailure.FENCED, fenced.code());
  }

  @Test
  void nobody_whose_key_does_not_count_ends_a_run_or_claims_a_slot() throws Exception {
    TestSigner mallory = new TestSigner();
    write(run(ONE, Optional.empty()).draft());
    write(RunEntry.abandon(ONE, TWO), mallory);
    write(run(TWO, Optional.of(SLOT)).draft(), mallory);
    assertEquals(List.of(State.RUNNING), states());
    assertEquals(List.of(), read().of("nightly", SLOT));
  }

  @Test
  void claims_of_a_slot_are_found_by_plan_and_second() throws Exception {
    write(run(ONE, Optional.of(SLOT)).draft());
    write(run(TWO, Optional.empty()).draft());
    assertEquals(
        List.of(ONE),
        read().of("nightly", Slot.at(Instant.parse("2026-11-20T02:00:00.9Z"))).stream()
            .map(r -> r.record().run())
            .toList());
    assertEquals(List.of(), read().of("weekly", SLOT));
  }

  @Test
  void what_cannot_be_read_is_damage_and_no_run() throws Exception {
    write(new Entry.Draft("run").field("run", "x"));
    write(run(ONE, Optional.empty()).draft().field("requires", "something-new"));
    write(new Entry.Draft("run").field("run", "a b"));
    assertEquals(List.of(), read().all());
    List<Object> codes = new ArrayList<>();
    read().damage().forEach(f -> codes.add(f.code()));
    assertEquals(
        List.of(CoreFailure.MALFORMED, CoreFailure.UNSUPPORTED_FORMAT, CoreFailure.MALFORMED),
        codes);
  }

  private final ObjectRef part = Names.state("host-a", Digest.ofContent(new byte[] {1}), 1);
  private final ObjectRef later = Names.state("host-a", Digest.ofContent(new byte[] {2}), 2);

  private static Entry.Draft progress(RunId run, Epoch epoch, ObjectRef part) {
    return RunEntry.progress(
        run,
        epoch,
        List.of(new StateRef.Index(part)),
        List.of(),
        List.of(),
        Optional.of(new RunEntry.WholeSource(SourceName.of("files"), part)));
  }

  private static Epoch epoch(String id) {
    return new Epoch(id, new Nobody(), List.of());
  }

  /** Only its name matters here. */
  private static final class Nobody implements Recipient {
    @Override
    public String text() {
      return "nobody";
    }

    @Override
    public List<Stanza> wrap(FileKey key) {
      throw new AssertionError("nothing is sealed");
    }

    @Override
    public SealedFormat format() {
      throw new AssertionError("nothing is sealed");
    }
  }

  @Test
  void what_runs_left_behind_counts_until_one_makes_a_snapshot() throws Exception {
    Epoch epoch = epoch("0123456789abcdef");
    write(run(ONE, Optional.empty()).draft());
    write(progress(ONE, epoch, part));
    assertEquals(List.of(), read().leftBehind("nightly", epoch), "it goes on");
    write(RunEntry.failed(ONE, "STELLA-300"));
    write(run(TWO, Optional.empty()).draft());
    write(progress(TWO, epoch, later));
    write(RunEntry.abandon(TWO, ONE));
    assertEquals(
        List.of(new StateRef.Index(later), new StateRef.Index(part)),
        read().leftBehind("nightly", epoch));
    assertEquals(
        List.of(TWO, ONE),
        read().wholes("nightly", epoch).stream().map(RunLog.Whole::run).toList());
    assertEquals(List.of(), read().leftBehind("weekly", epoch));
    assertEquals(List.of(), read().leftBehind("nightly", epoch("fedcba9876543210")));
    RunId three = new RunId("three");
    write(run(three, Optional.empty()).draft());
    write(snapshot(three));
    assertEquals(List.of(), read().leftBehind("nightly", epoch));
    assertEquals(List.of(), read().wholes("nightly", epoch));
  }
}
