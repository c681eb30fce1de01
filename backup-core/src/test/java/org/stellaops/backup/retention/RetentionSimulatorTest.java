package org.stellaops.backup.retention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException.Refused;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.SourceName;

class RetentionSimulatorTest {
  private static final Instant START = Instant.parse("2026-01-01T02:00:00Z");
  private static final Duration A_DAY = Duration.ofDays(1);

  private static CaptureSchedule daily() {
    return CaptureSchedule.full(SourceName.of("db"), Component.DATABASE, A_DAY, 1000);
  }

  @Test
  void thirty_daily_and_twelve_monthly_ones_fill_up_in_a_year() throws Exception {
    RetentionForecast forecast =
        RetentionSimulator.of(RetentionRules.issuerDirectory(), START).capture(daily()).run(2);
    // 30 days, which hold the newest of January and December, and 10 months before.
    RetentionForecast.Step last = forecast.steps().get(23);
    assertEquals(Instant.parse("2028-01-01T02:00:00Z"), last.at());
    assertEquals(40, last.captures());
    assertEquals(Instant.parse("2027-02-28T02:00:00Z"), last.oldest().orElseThrow());
    assertEquals(Instant.parse("2028-01-01T02:00:00Z"), last.newest().orElseThrow());
    assertEquals(40_000, last.bytes());
    assertTrue(forecast.peakBytes() >= 40_000);
  }

  @Test
  void the_same_luck_gives_the_same_table_and_the_same_lines() throws Exception {
    RetentionSimulator simulator =
        RetentionSimulator.of(RetentionRules.runbook(), START)
            .capture(daily().increments(7, 100).rates(0.1, 0.05))
            .seed(7);
    RetentionForecast forecast = simulator.run(1);
    assertEquals(forecast.toCsv(), simulator.run(1).toCsv());
    assertEquals(12, forecast.steps().size());
    assertEquals(13, forecast.toTable().lines().count());
    assertEquals(
        "at,source,captures,good,bytes,oldest_good,newest_good",
        forecast.toCsv().lines().findFirst().orElseThrow());
    assertTrue(forecast.steps().stream().allMatch(s -> s.good() <= s.captures() && s.good() > 0));
  }

  @Test
  void a_policy_that_would_leave_nothing_good_is_refused_with_the_date() {
    RetentionRules threeDays = RetentionRules.of(Retention.keepFor(Duration.ofDays(3)));
    CaptureSchedule weekly =
        CaptureSchedule.full(SourceName.of("keys"), Component.KEYS, Duration.ofDays(7), 1000);
    Refused refused =
        assertThrows(
            Refused.class, () -> RetentionSimulator.of(threeDays, START).capture(weekly).run(1));
    assertEquals(CoreFailure.POLICY_TOO_SHORT, refused.code());
    assertTrue(refused.getMessage().contains("on 2026-01-05T02:00:00Z"), refused.getMessage());
  }

  @Test
  void schedules_that_make_no_sense_are_refused() {
    assertThrows(IllegalArgumentException.class, () -> daily().rates(1, 0));
    assertThrows(IllegalArgumentException.class, () -> daily().increments(0, 1));
    RetentionSimulator none = RetentionSimulator.of(RetentionRules.runbook(), START);
    assertThrows(IllegalArgumentException.class, () -> none.run(1));
    assertThrows(IllegalArgumentException.class, () -> none.capture(daily()).run(0));
  }
}
