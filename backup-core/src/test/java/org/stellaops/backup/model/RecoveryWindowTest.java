package org.stellaops.backup.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.RecoveryWindow.Span;

class RecoveryWindowTest {
  private static final Instant DAY_0 = Instant.parse("2026-03-01T00:00:00Z");

  private static Instant day(long day) {
    return DAY_0.plus(Duration.ofDays(day));
  }

  private static Span days(long from, long to) {
    return new Span(day(from), day(to));
  }

  /** Ten days are wanted on day 20. */
  private static RecoveryWindow window(long first, Span... reachable) {
    return RecoveryWindow.of(
        "host-a",
        SourceName.of("database"),
        Duration.ofDays(10),
        day(20),
        day(first),
        List.of(reachable));
  }

  @Test
  void what_overlaps_or_touches_is_one_and_what_is_older_does_not_count() {
    RecoveryWindow window = window(0, days(12, 15), days(1, 11), days(11, 13), days(0, 3));
    assertEquals(List.of(days(10, 15)), window.spans());
    assertFalse(window.isShort());
    assertEquals(Optional.empty(), window.finding());
    assertEquals(Duration.ofDays(5), window.unbroken());
    assertEquals(Optional.of(day(15)), window.newest());
  }

  @Test
  void a_hole_makes_it_short_and_is_told() {
    RecoveryWindow window = window(0, days(5, 12), days(14, 16), days(18, 20));
    assertEquals(List.of(days(12, 14), days(16, 18)), window.holes());
    assertEquals(Duration.ofDays(2), window.unbroken());
    Finding finding = window.finding().orElseThrow();
    assertEquals(CoreFailure.WINDOW_SHORT, finding.code());
    assertEquals("host-a/database", finding.subject());
    assertTrue(finding.found().contains(day(12).toString()), finding.found());
    assertTrue(finding.found().contains("1 other"), finding.found());
  }

  @Test
  void what_was_let_go_too_early_is_a_hole_at_the_beginning() {
    assertEquals(List.of(days(10, 13)), window(0, days(13, 20)).holes());
  }

  @Test
  void a_young_history_is_not_short() {
    RecoveryWindow window = window(17, days(17, 20));
    assertFalse(window.isShort());
    assertEquals(day(17), window.since());
  }

  @Test
  void nothing_at_all_is_one_hole() {
    RecoveryWindow window = window(0, days(0, 9));
    assertEquals(List.of(days(10, 20)), window.holes());
    assertEquals(Duration.ZERO, window.unbroken());
    assertEquals(Optional.empty(), window.newest());
  }

  @Test
  void a_source_whose_clock_is_ahead_is_no_error() {
    assertEquals(List.of(days(25, 25)), window(25).holes());
  }

  @Test
  void a_span_does_not_run_backwards() {
    assertThrows(IllegalArgumentException.class, () -> days(2, 1));
  }
}
