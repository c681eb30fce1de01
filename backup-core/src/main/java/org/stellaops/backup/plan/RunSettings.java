package org.stellaops.backup.plan;

import java.time.Duration;
import org.stellaops.backup.store.RetryPolicy;

/**
 * How runs of a plan live beside each other, and what becomes of one that fails.
 *
 * @param lease after a silence of that length a run counts as dead, and another one of the plan may
 *     end it; whole seconds, 1 second to 1 day. A run shows three times in it that it lives.
 *     Shorter than a stall of the host or the store costs runs that would have gone on, never data
 * @param retry how often a run is attempted that met a fault of the store which may pass, and how
 *     long is waited in between; nothing else is ever attempted again by itself
 * @param reuse a source that a long run captured whole, but that ended without a snapshot, is not
 *     read again by the next one if its capture is younger; zero to read everything again. Then the
 *     sources of one snapshot are of different moments, so far apart, and what was held during the
 *     one run was not held until the other began
 */
public record RunSettings(Duration lease, RetryPolicy retry, Duration reuse) {
  private static final RetryPolicy ONCE = new RetryPolicy(1, Duration.ZERO, Duration.ZERO);

  /** A lease of 10 minutes; one attempt; every source is read again. */
  public static RunSettings defaults() {
    return new RunSettings(Duration.ofMinutes(10), ONCE, Duration.ZERO);
  }

  /** The same with another lease. */
  public RunSettings lease(Duration time) {
    return new RunSettings(time, retry, reuse);
  }

  /** The same with other attempts. */
  public RunSettings retry(RetryPolicy policy) {
    return new RunSettings(lease, policy, reuse);
  }

  /** The same that reads again only what was captured longer ago. */
  public RunSettings reuse(Duration age) {
    return new RunSettings(lease, retry, age);
  }
}
