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

  private static final Instant FIRST = Instant.parse("-900000000-01-01T00:00:00Z");
  private static final Instant LAST = Instant.parse("+900000000-01-01T00:00:00Z");

  private final String singular;

  Bucket(String singular) {
    this.singular = singular;
  }

  /** When the bucket began that holds this instant. */
  LocalDateTime startOf(Instant time) {
    LocalDateTime at = LocalDateTime.ofInstant(within(time), ZoneOffset.UTC);
    LocalDateTime day = at.truncatedTo(ChronoUnit.DAYS);
    return switch (this) {
      case HOUR -> at.truncatedTo(ChronoUnit.HOURS);
      case DAY -> day;
      case WEEK -> day.with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY));
      case MONTH -> day.withDayOfMonth(1);
      case YEAR -> day.withDayOfYear(1);
    };
  }

  /** An instant that has a date, with days around it: writers may say any. */
  private static Instant within(Instant time) {
    return time.isBefore(FIRST) ? FIRST : time.isAfter(LAST) ? LAST : time;
  }

  /** For humans: {@code day}. */
  String singular() {
    return singular;
  }
}
