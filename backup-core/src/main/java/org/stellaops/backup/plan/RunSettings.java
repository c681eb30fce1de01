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
 */
public record RunSettings(Duration lease, RetryPolicy retry) {
  private static final RetryPolicy ONCE = new RetryPolicy(1, Duration.ZERO, Duration.ZERO);

  /** A lease of 10 minutes; one attempt. */
  public static RunSettings defaults() {
    return new RunSettings(Duration.ofMinutes(10), ONCE);
  }

  /** The same with another lease. */
  public RunSettings lease(Duration time) {
    return new RunSettings(time, retry);
  }

  /** The same with other attempts. */
  public RunSettings retry(RetryPolicy policy) {
    return new RunSettings(lease, policy);
  }
}
