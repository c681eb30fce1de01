package org.stellaops.backup.store;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * How often to try, and how long to wait in between: twice as long each time, up to a maximum, and
 * of that a random part between half and all, so that many who failed together do not come back
 * together.
 *
 * @param attempts the first one counts; at least 1
 * @param firstDelay before the second attempt
 * @param maxDelay before any attempt
 */
public record RetryPolicy(int attempts, Duration firstDelay, Duration maxDelay) {
  /** Five attempts within some eight seconds. */
  public static final RetryPolicy STANDARD =
      new RetryPolicy(5, Duration.ofMillis(500), Duration.ofSeconds(10));

  public RetryPolicy {
    if (attempts < 1 || firstDelay.isNegative() || maxDelay.compareTo(firstDelay) < 0) {
      throw new IllegalArgumentException(
          "at least 1 attempt and 0 <= first delay <= maximum: %d, %s, %s"
              .formatted(attempts, firstDelay, maxDelay));
    }
  }

  /**
   * How long to wait after a failure.
   *
   * @param failed how many attempts have failed, at least 1
   */
  public Duration delayAfter(int failed, RandomGenerator random) {
    long full = maxDelay.toMillis();
    int doublings = failed - 1;
    if (doublings < 32 && firstDelay.toMillis() << doublings < full) {
      full = firstDelay.toMillis() << doublings;
    }
    return Duration.ofMillis(full - (full < 2 ? 0 : random.nextLong(full / 2)));
  }
}
