package org.stellaops.backup.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CoverageTest {
  private static final Instant TIME = Instant.parse("2026-11-20T02:00:00Z");

  private static Position at(long branch, long offset) {
    return new Position("system-1", branch, offset, "0/" + Long.toHexString(offset));
  }

  private static SliceSpan span(long branch, long from, long to) {
    return SliceSpan.of(at(branch, from), at(branch, to));
  }

  private static SliceSpan timed(long from, long to, int first, int last) {
    return new SliceSpan(
        at(1, from),
        at(1, to),
        Optional.of(TIME.plusSeconds(first)),
        Optional.of(TIME.plusSeconds(last)));
  }

  private static Coverage of(SliceSpan... slices) {
    return new Coverage(
        "host-a.wal",
        SourceName.of("wal"),
        SourceKind.of("toy-log/1"),
        "system-1",
        List.of(slices),
        List.of(),
        List.of());
  }

  @Test
  void what_touches_is_one_range_in_whatever_order_it_was_recorded() {
    Coverage coverage = of(span(1, 20, 30), span(1, 0, 10), span(1, 40, 50), span(1, 10, 20));
    assertEquals(List.of(span(1, 0, 30), span(1, 40, 50)), coverage.ranges());
    assertEquals(40, coverage.lengthBytes());
  }

  @Test
  void what_overlaps_is_counted_once() {
    Coverage coverage = of(span(1, 0, 15), span(1, 10, 20), span(1, 18, 25));
    assertEquals(List.of(span(1, 0, 25)), coverage.ranges());
    assertEquals(25, coverage.lengthBytes());
    assertEquals(3, coverage.slices().size());
  }

  @Test
  void a_slice_within_another_is_left_out() {
    Coverage coverage =
        of(span(1, 0, 5), span(1, 5, 10), span(1, 0, 10), span(1, 0, 10), span(1, 3, 10));
    assertEquals(List.of(span(1, 0, 10)), coverage.slices());
  }

  @Test
  void branches_are_kept_apart() {
    Coverage coverage = of(span(2, 5, 20), span(1, 0, 10), span(1, 5, 20));
    assertEquals(List.of(span(1, 0, 20), span(2, 5, 20)), coverage.ranges());
    assertEquals(2, coverage.newestBranch());
  }

  @Test
  void offsets_are_unsigned() {
    long half = Long.MIN_VALUE;
    Coverage coverage = of(span(1, half, half + 5), span(1, half - 5, half), span(1, -5, -1));
    assertEquals(List.of(span(1, half - 5, half + 5), span(1, -5, -1)), coverage.ranges());
    assertEquals(span(1, -5, -1), coverage.onwardFrom(at(1, -3)).orElseThrow());
    assertEquals(Optional.empty(), coverage.onwardFrom(at(1, 5)));
  }

  @Test
  void the_times_of_a_range_are_the_earliest_and_the_latest() {
    Coverage coverage = of(timed(0, 10, 5, 9), span(1, 10, 20), timed(20, 30, 3, 7));
    assertEquals(List.of(timed(0, 30, 3, 9)), coverage.ranges());
  }

  @Test
  void a_history_leads_on_to_the_next_gap() {
    Coverage coverage = of(span(1, 10, 20), span(1, 20, 30), span(1, 31, 40));
    assertEquals(span(1, 10, 30), coverage.onwardFrom(at(1, 10)).orElseThrow());
    assertEquals(span(1, 10, 30), coverage.onwardFrom(at(1, 30)).orElseThrow());
    assertEquals(span(1, 31, 40), coverage.onwardFrom(at(1, 31)).orElseThrow());
    assertEquals(Optional.empty(), coverage.onwardFrom(at(1, 9)));
    assertEquals(Optional.empty(), coverage.onwardFrom(at(1, 41)));
    assertEquals(Optional.empty(), coverage.onwardFrom(at(2, 15)));
    assertEquals(Optional.empty(), of().onwardFrom(at(1, 0)));
  }

  @Test
  void a_history_leads_on_to_a_later_branch_that_begins_within_it() {
    Coverage coverage = of(span(1, 0, 30), span(2, 20, 50), span(3, 60, 70), span(4, 50, 55));
    assertEquals(span(4, 50, 55), coverage.onwardFrom(at(1, 5)).orElseThrow());
    assertEquals(span(3, 60, 70), coverage.onwardFrom(at(3, 60)).orElseThrow());
  }

  @Test
  void a_position_of_another_lineage_leads_nowhere() {
    assertEquals(
        Optional.empty(), of(span(1, 0, 30)).onwardFrom(new Position("system-2", 1, 10, "0/a")));
  }

  @Test
  void nothing_is_in_an_empty_one() {
    assertEquals(List.of(), of().ranges());
    assertEquals(0, of().newestBranch());
    assertEquals(0, of().lengthBytes());
  }

  @Test
  void a_range_is_of_one_branch_and_goes_forward() {
    assertThrows(IllegalArgumentException.class, () -> span(1, 10, 10));
    assertThrows(IllegalArgumentException.class, () -> span(1, 11, 10));
    assertThrows(IllegalArgumentException.class, () -> SliceSpan.of(at(1, 0), at(2, 10)));
    assertThrows(
        IllegalArgumentException.class,
        () -> SliceSpan.of(at(1, 0), new Position("system-2", 1, 10, "0/a")));
    assertThrows(
        IllegalArgumentException.class,
        () -> new SliceSpan(at(1, 0), at(1, 1), Optional.of(TIME), Optional.empty()));
  }
}
