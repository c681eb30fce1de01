package org.stellaops.backup.retention;

import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAdjusters;

/** A span of UTC of which the newest good capture stands for the whole. */
enum Bucket {
  HOUR("hour"),
  DAY("day"),
  WEEK("week"),
  MONTH("month"),
  YEAR("year");

  private final String singular;

  Bucket(String singular) {
    this.singular = singular;
  }

  /** When the bucket began that holds this instant. */
  LocalDateTime startOf(Instant time) {
    LocalDateTime at = LocalDateTime.ofInstant(time, ZoneOffset.UTC);
    LocalDateTime day = at.truncatedTo(ChronoUnit.DAYS);
    return switch (this) {
      case HOUR -> at.truncatedTo(ChronoUnit.HOURS);
      case DAY -> day;
      case WEEK -> day.with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY));
      case MONTH -> day.withDayOfMonth(1);
      case YEAR -> day.withDayOfYear(1);
    };
  }

  /** For humans: {@code day}. */
  String singular() {
    return singular;
  }
}
