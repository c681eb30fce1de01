package org.stellaops.backup.postgres.internal.restore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.model.StreamMark;
import org.stellaops.backup.model.UnreachablePointException;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.fixture.SyntheticWal;
import org.stellaops.backup.postgres.internal.restore.ReplayPath.Piece;
import org.stellaops.backup.postgres.internal.wal.SegmentSize;
import org.stellaops.backup.spi.RecordedStream;

/** Which WAL is replayed for which point, and what is said where a point cannot be reached. */
class ReplayPlannerTest {
  private static final Instant TIME = Instant.parse("2026-01-02T03:00:00Z");
  private static final Lsn BEGIN = Lsn.parse("0/4000000");

  private final Map<SliceSpan, byte[]> slices = new HashMap<>();
  private final List<StreamGap> gaps = new ArrayList<>();
  private final List<StreamMark> marks = new ArrayList<>();
  private final Map<String, byte[]> companions = new TreeMap<>();
  private SegmentSize size = new SegmentSize(16 << 20);
  private SyntheticWal first = wal();
  private Lsn consistent = BEGIN;
  private Optional<Long> timeline = Optional.empty();

  private SyntheticWal wal() {
    return new SyntheticWal(BEGIN, size.bytes(), 1);
  }

  @ParameterizedTest
  @ValueSource(ints = {1 << 20, 16 << 20, 64 << 20})
  void each_kind_of_point_ends_at_its_record(int segmentBytes) throws Exception {
    size = new SegmentSize(segmentBytes);
    first = wal();
    consistent = first.filler(100);
    Lsn one = first.commit(701, TIME.plusSeconds(1));
    Lsn named = first.restorePoint("here", TIME.plusSeconds(2));
    Lsn two = first.commit(702, TIME.plusSeconds(3));
    record(1, first.bytes(), BEGIN, two, TIME.plusSeconds(1), TIME.plusSeconds(3));
    marks.add(new StreamMark("here", at(1, named), TIME.plusSeconds(2)));

    assertPlan(RecoveryPoint.latest(), two, Map.of());
    assertPlan(RecoveryPoint.atMark("here"), named, Map.of());
    assertPlan(RecoveryPoint.atTransaction(701), one, Map.of());
    assertPlan(RecoveryPoint.atTransaction((5L << 32) + 702), two, Map.of());
    assertPlan(
        RecoveryPoint.beforeTransaction(702),
        two,
        Map.of("recovery_target_xid", "702", "recovery_target_inclusive", "false"));
    assertPlan(named.before(), named, Map.of());
    assertPlan(one.including(), named, Map.of());
    assertPlan(consistent.before(), consistent, Map.of());
    assertPlan(two.before(), two, Map.of());
    assertPlan(RecoveryPoint.at(TIME.plusSeconds(3)), two, Map.of());
    assertPlan(
        RecoveryPoint.before(TIME.plusSeconds(3)),
        two,
        Map.of(
            "recovery_target_time",
            "2026-01-02 03:00:03.000000+00",
            "recovery_target_inclusive",
            "false"));
    assertEquals(
        Map.of("recovery_target", "immediate"), planner().to(RecoveryPoint.immediate()).target());

    assertUnreachable(
        CoreFailure.POINT_TOO_LATE,
        RecoveryPoint.at(TIME.plusSeconds(4)),
        "latest instant that is recorded is 2026-01-02T03:00:03Z, at " + two);
    assertUnreachable(
        CoreFailure.POINT_TOO_EARLY,
        RecoveryPoint.at(TIME.minusSeconds(1)),
        "earliest instant that this capture leads to is 2026-01-02T03:00:00Z");
    assertUnreachable(
        CoreFailure.POINT_TOO_EARLY,
        new Lsn(consistent.position() - 1).before(),
        "earliest place that this capture leads to is " + consistent);
    assertUnreachable(
        CoreFailure.POINT_TOO_LATE, new Lsn(two.position() + 1).before(), "recorded up to " + two);
    assertUnreachable(
        CoreFailure.POINT_TOO_LATE, two.including(), "no whole record begins at " + two);
    assertUnreachable(CoreFailure.POINT_UNKNOWN, RecoveryPoint.atMark("there"), "there are [here]");
    assertUnreachable(
        CoreFailure.POINT_TOO_EARLY, RecoveryPoint.atTransaction(700), "does not end in the WAL");
  }

  @Test
  void places_are_unsigned() throws Exception {
    Lsn high = Lsn.parse("FFFFFFFF/4000000");
    first = new SyntheticWal(high, size.bytes(), 1);
    consistent = high;
    Lsn end = first.commit(701, TIME.plusSeconds(1));
    record(1, first.bytes(), high, end, TIME.plusSeconds(1), TIME.plusSeconds(1));
    assertPlan(RecoveryPoint.latest(), end, Map.of());
    assertPlan(end.before(), end, Map.of());
    assertUnreachable(CoreFailure.POINT_TOO_EARLY, BEGIN.before(), "leads to is " + high);
  }

  @Test
  void nothing_is_reached_across_a_gap_and_it_is_named() throws Exception {
    Lsn end = first.commit(701, TIME.plusSeconds(1));
    record(1, first.bytes(), BEGIN, end, TIME.plusSeconds(1), TIME.plusSeconds(1));
    Lsn from = Lsn.parse("0/6000000");
    Lsn to = Lsn.parse("0/6000100");
    record(1, new byte[256], from, to, TIME.plusSeconds(9), TIME.plusSeconds(9));
    gaps.add(new StreamGap(at(1, end), at(1, from), "removed"));

    assertPlan(
        RecoveryPoint.at(TIME),
        end,
        Map.of(
            "recovery_target_time",
            "2026-01-02 03:00:00.000000+00",
            "recovery_target_inclusive",
            "true"));
    String lost = "lost were [1@%s to %s]".formatted(end, from);
    for (RecoveryPoint point :
        List.of(
            RecoveryPoint.latest(),
            RecoveryPoint.at(TIME.plusSeconds(5)),
            RecoveryPoint.atTransaction(900),
            to.before())) {
      assertUnreachable(
          CoreFailure.POINT_CUT_OFF, point, "recorded up to " + end + " only; " + lost);
    }
    consistent = new Lsn(end.position() + 8);
    assertUnreachable(CoreFailure.POINT_CUT_OFF, RecoveryPoint.latest(), lost);
    consistent = from;
    assertPlan(RecoveryPoint.latest(), to, Map.of());
  }

  @Test
  void a_switch_in_the_middle_of_a_segment_takes_what_each_timeline_holds() throws Exception {
    Lsn left = first.commit(701, TIME.plusSeconds(1));
    SyntheticWal second = first.branch(2);
    Lsn end = second.commit(702, TIME.plusSeconds(2));
    record(1, first.bytes(), BEGIN, left, TIME.plusSeconds(1), TIME.plusSeconds(1));
    record(2, second.bytes(), BEGIN, end, TIME.plusSeconds(1), TIME.plusSeconds(2));
    leave(2, 1, left);
    Replay latest = planner().to(RecoveryPoint.latest());
    assertEquals(2, latest.timeline());
    assertEquals(List.of(new Piece(1, BEGIN, left), new Piece(2, BEGIN, end)), latest.pieces());
    timeline = Optional.of(1L);
    assertPlan(RecoveryPoint.latest(), left, Map.of());
  }

  /**
   * The slice in which a timeline was left ends with what was abandoned. An instant that only that
   * is behind is not met there, but on the next timeline.
   */
  @Test
  void an_instant_that_only_abandoned_wal_is_behind_is_looked_for_on_the_next_timeline()
      throws Exception {
    Lsn left = first.commit(701, TIME.plusSeconds(1));
    SyntheticWal second = first.branch(2);
    Lsn end = second.commit(702, TIME.plusSeconds(9));
    Lsn beyond = first.commit(710, TIME.plusSeconds(5));
    record(1, first.bytes(), BEGIN, beyond, TIME.plusSeconds(1), TIME.plusSeconds(5));
    record(2, second.bytes(), BEGIN, end, TIME.plusSeconds(1), TIME.plusSeconds(9));
    leave(2, 1, left);

    Replay between = planner().to(RecoveryPoint.at(TIME.plusSeconds(3)));
    assertEquals(List.of(new Piece(1, BEGIN, left), new Piece(2, BEGIN, end)), between.pieces());
    Replay before = planner().to(RecoveryPoint.at(TIME));
    assertEquals(List.of(new Piece(1, BEGIN, left)), before.pieces());
    assertUnreachable(
        CoreFailure.POINT_TOO_LATE,
        RecoveryPoint.at(TIME.plusSeconds(10)),
        "recorded is 2026-01-02T03:00:09Z, at " + end);
    timeline = Optional.of(1L);
    assertEquals(
        List.of(new Piece(1, BEGIN, beyond)),
        planner().to(RecoveryPoint.at(TIME.plusSeconds(3))).pieces());
  }

  @Test
  void a_base_on_an_abandoned_branch_and_a_lost_history_are_told() throws Exception {
    Lsn left = first.commit(701, TIME.plusSeconds(1));
    SyntheticWal second = first.branch(2);
    Lsn end = second.commit(702, TIME.plusSeconds(2));
    Lsn beyond = first.commit(710, TIME.plusSeconds(5));
    record(1, first.bytes(), BEGIN, beyond, TIME.plusSeconds(1), TIME.plusSeconds(5));
    record(2, second.bytes(), BEGIN, end, TIME.plusSeconds(1), TIME.plusSeconds(2));
    assertUnreachable(
        CoreFailure.POINT_UNKNOWN,
        RecoveryPoint.latest(),
        "00000002.history is not recorded; there are the timelines [1, 2]");
    leave(2, 1, left);
    consistent = left;
    assertPlan(RecoveryPoint.latest(), end, Map.of());
    consistent = beyond;
    assertUnreachable(
        CoreFailure.POINT_TOO_EARLY,
        RecoveryPoint.latest(),
        "ends at %s on timeline 1, which timeline 2 had left before".formatted(beyond));
    marks.add(new StreamMark("abandoned", at(1, beyond), TIME.plusSeconds(5)));
    consistent = BEGIN;
    assertUnreachable(
        CoreFailure.POINT_UNKNOWN,
        RecoveryPoint.atMark("abandoned"),
        "not in the history of timeline 2, but at [1@%s]".formatted(beyond));
  }

  private void record(
      long branch, byte[] bytes, Lsn from, Lsn to, Instant earliest, Instant latest) {
    SliceSpan span =
        new SliceSpan(at(branch, from), at(branch, to), Optional.of(earliest), Optional.of(latest));
    slices.put(span, Arrays.copyOf(bytes, (int) span.lengthBytes()));
  }

  private void leave(long next, long timeline, Lsn at) {
    companions.put(
        "%08X.history".formatted(next),
        "%d\t%s\tpromoted\n".formatted(timeline, at).getBytes(StandardCharsets.US_ASCII));
  }

  private static org.stellaops.backup.model.Position at(long branch, Lsn place) {
    return place.in(SyntheticWal.SYSTEM, branch);
  }

  private ReplayPlanner planner() {
    CaptureSpan base = new CaptureSpan(at(1, consistent), at(1, consistent), TIME);
    return new ReplayPlanner(new Recorded(), base, size, 17, timeline);
  }

  private void assertPlan(RecoveryPoint point, Lsn end, Map<String, String> target)
      throws Exception {
    Replay replay = planner().to(point);
    assertEquals(end, replay.end(), point.toString());
    assertEquals(target, replay.target(), point.toString());
  }

  private void assertUnreachable(FailureCode code, RecoveryPoint point, String text) {
    var e =
        assertThrows(UnreachablePointException.class, () -> planner().to(point), point.toString());
    assertEquals(code, e.code(), e.found());
    assertTrue(e.found().contains(text), e.found());
  }

  private final class Recorded implements RecordedStream {
    @Override
    public Coverage coverage() {
      return new Coverage(
          "log",
          new SourceName("wal"),
          new SourceKind("postgres-wal/1"),
          SyntheticWal.SYSTEM,
          List.copyOf(slices.keySet()),
          gaps,
          marks);
    }

    @Override
    public Set<String> companions() {
      return companions.keySet();
    }

    @Override
    public InputStream open(SliceSpan slice) {
      return new ByteArrayInputStream(slices.get(slice));
    }

    @Override
    public InputStream openCompanion(String name) {
      return new ByteArrayInputStream(companions.get(name));
    }
  }
}
