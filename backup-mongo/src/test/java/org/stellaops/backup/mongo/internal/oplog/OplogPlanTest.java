package org.stellaops.backup.mongo.internal.oplog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.bson.BsonTimestamp;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.UnreachablePointException;
import org.stellaops.backup.spi.RecordedStream;

class OplogPlanTest {
  private static final CaptureSpan BASE =
      new CaptureSpan(at(1, 10), at(1, 12), Instant.ofEpochSecond(12));

  private static Position at(long term, int second) {
    return OplogTimes.position("rs0", term, Entries.ts(second));
  }

  private static SliceSpan slice(long term, int from, int to) {
    return new SliceSpan(
        at(term, from),
        at(term, to),
        Optional.of(Instant.ofEpochSecond(from + 1)),
        Optional.of(Instant.ofEpochSecond(to)));
  }

  private record Stream(byte[] content, List<SliceSpan> slices) implements RecordedStream {
    @Override
    public Coverage coverage() {
      return new Coverage(
          "w.oplog",
          SourceName.of("oplog"),
          SourceKind.of("mongo-oplog/1"),
          "rs0",
          slices,
          List.of(),
          List.of());
    }

    @Override
    public Set<String> companions() {
      return Set.of();
    }

    @Override
    public InputStream open(SliceSpan slice) {
      return new ByteArrayInputStream(content);
    }

    @Override
    public InputStream openCompanion(String name) throws IOException {
      throw new IOException(name);
    }
  }

  private static OplogPlan plan(RecoveryPoint point, SliceSpan... slices)
      throws UnreachablePointException {
    return OplogPlan.of(new Stream(new byte[0], List.of(slices)), BASE, false, point);
  }

  private static CoreFailure unreachable(RecoveryPoint point, SliceSpan... slices) {
    return (CoreFailure)
        assertThrows(UnreachablePointException.class, () -> plan(point, slices)).code();
  }

  private static RecoveryPoint time(int second) {
    return RecoveryPoint.at(Instant.ofEpochSecond(second));
  }

  @Test
  void slices_lead_on_over_pieces_merges_and_elections() throws Exception {
    SliceSpan[] slices = {
      slice(1, 1, 5), slice(1, 5, 11), slice(1, 11, 14), slice(1, 8, 14), slice(3, 14, 20)
    };
    assertEquals(
        List.of(slice(1, 5, 11), slice(1, 8, 14), slice(3, 14, 20)),
        plan(RecoveryPoint.latest(), slices).slices());
  }

  @Test
  void what_the_base_brings_along_need_not_be_recorded() throws Exception {
    Stream stream = new Stream(new byte[0], List.of(slice(1, 11, 20)));
    assertThrows(
        UnreachablePointException.class,
        () -> OplogPlan.of(stream, BASE, false, RecoveryPoint.latest()));
    assertEquals(1, OplogPlan.of(stream, BASE, true, RecoveryPoint.latest()).slices().size());
  }

  @Test
  void a_gap_ends_what_can_be_reached() {
    SliceSpan[] slices = {slice(1, 1, 14), slice(1, 15, 20)};
    assertEquals(CoreFailure.POINT_CUT_OFF, unreachable(RecoveryPoint.latest(), slices));
    assertEquals(CoreFailure.POINT_CUT_OFF, unreachable(time(18), slices));
    assertEquals(
        CoreFailure.POINT_CUT_OFF,
        unreachable(RecoveryPoint.latest(), slice(1, 1, 14), slice(2, 13, 20)));
  }

  @Test
  void points_are_compared_with_what_there_is() throws Exception {
    SliceSpan all = slice(1, 1, 20);
    assertEquals(1, plan(time(20), all).slices().size());
    assertEquals(1, plan(time(12), all).slices().size());
    assertEquals(0, plan(RecoveryPoint.immediate(), all).slices().size());
    assertEquals(CoreFailure.POINT_TOO_EARLY, unreachable(time(11), all));
    assertEquals(CoreFailure.POINT_TOO_LATE, unreachable(time(21), all));
    for (int second : new int[] {11, 21}) {
      long offset = Entries.ts(second).getValue();
      assertEquals(
          second < 12 ? CoreFailure.POINT_TOO_EARLY : CoreFailure.POINT_TOO_LATE,
          unreachable(new RecoveryPoint.AtPosition(offset, "x", true), all));
    }
    assertEquals(CoreFailure.POINT_UNKNOWN, unreachable(RecoveryPoint.atMark("x"), all));
    assertEquals(CoreFailure.POINT_UNKNOWN, unreachable(RecoveryPoint.atTransaction(1), all));
  }

  @Test
  void a_slice_that_is_no_sequence_of_documents_is_refused() {
    for (byte[] content :
        List.of(new byte[] {5, 0, 0}, new byte[] {9, 0, 0, 0, 0}, new byte[] {-1, -1, -1, -1, 0})) {
      SliceReading reading =
          SliceReading.of(new Stream(content, List.of(slice(1, 1, 20))), new BsonTimestamp(2, 0));
      assertThrows(
          BackupException.Corrupt.class, () -> reading.copyTo((b, o, l) -> {}, () -> false));
    }
  }
}
