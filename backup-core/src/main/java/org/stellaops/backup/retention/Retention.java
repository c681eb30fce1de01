package org.stellaops.backup.retention;

import java.time.Duration;
import org.stellaops.backup.spi.RetentionPolicy;

/**
 * The policies there are; {@link RetentionPolicy#and} puts them together.
 *
 * <p>Buckets are hours, days, ISO weeks, months and years of UTC, whatever the zone of a machine. A
 * bucket counts only if it holds a good capture, of which the newest is kept: thirty daily ones are
 * the thirty newest days that have one, so that missed days and failed runs do not shorten the
 * history, and a history to which nothing is added is not shortened by the passing of time.
 */
public final class Retention {
  private static final Duration LONGEST = Duration.ofDays(365_250);

  private Retention() {}

  /** Every capture, for ever. */
  public static RetentionPolicy everything() {
    return new Everything();
  }

  /** Every capture that is at most this old, whatever its outcome. */
  public static RetentionPolicy keepFor(Duration age) {
    return new Younger(positive("an age", age), false);
  }

  /**
   * Every capture that is at most this old, and the newest good one at or before that: from it a
   * recorded stream leads to every instant of that time.
   */
  public static RetentionPolicy recoverableFor(Duration age) {
    return new Younger(positive("a time to go back", age), true);
  }

  /** The newest good captures, so many; others do not count. */
  public static RetentionPolicy keepLast(int captures) {
    return new NewestGood(positive("captures", captures));
  }

  /** The newest good capture of so many hours. */
  public static RetentionPolicy hourly(int hours) {
    return new Buckets(Bucket.HOUR, positive("hours", hours));
  }

  /** The newest good capture of so many days. */
  public static RetentionPolicy daily(int days) {
    return new Buckets(Bucket.DAY, positive("days", days));
  }

  /** The newest good capture of so many weeks, which begin on Monday. */
  public static RetentionPolicy weekly(int weeks) {
    return new Buckets(Bucket.WEEK, positive("weeks", weeks));
  }

  /** The newest good capture of so many months. */
  public static RetentionPolicy monthly(int months) {
    return new Buckets(Bucket.MONTH, positive("months", months));
  }

  /** The newest good capture of so many years. */
  public static RetentionPolicy yearly(int years) {
    return new Buckets(Bucket.YEAR, positive("years", years));
  }

  private static int positive(String what, int number) {
    if (number < 1) {
      throw new IllegalArgumentException(
          "number of %s to keep must be 1 or more, found %d".formatted(what, number));
    }
    return number;
  }

  private static Duration positive(String what, Duration age) {
    if (age.isZero() || age.isNegative() || age.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(
          "%s to keep must be more than nothing and at most 1000 years, found %s"
              .formatted(what, age));
    }
    return age;
  }

  /** A duration in days where it is whole days. */
  static String text(Duration age) {
    return age.equals(Duration.ofDays(age.toDays())) ? age.toDays() + " days" : age.toString();
  }
}
