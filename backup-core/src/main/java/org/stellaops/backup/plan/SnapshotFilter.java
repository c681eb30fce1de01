package org.stellaops.backup.plan;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Which snapshots to list. Immutable; conditions add up. */
public final class SnapshotFilter {
  private final @Nullable Duration last;
  private final @Nullable String component;
  private final boolean whole;
  private final boolean unverified;
  private final @Nullable String plan;

  private SnapshotFilter(
      @Nullable Duration last,
      @Nullable String component,
      boolean whole,
      boolean unverified,
      @Nullable String plan) {
    this.last = last;
    this.component = component;
    this.whole = whole;
    this.unverified = unverified;
    this.plan = plan;
  }

  /** Every snapshot. */
  public static SnapshotFilter all() {
    return new SnapshotFilter(null, null, false, false, null);
  }

  /** Those of the last so-and-so long, the boundary included. */
  public SnapshotFilter last(Duration time) {
    if (time.isNegative() || time.isZero()) {
      throw new IllegalArgumentException("a period of " + time + ", expected more than none");
    }
    return new SnapshotFilter(time, component, whole, unverified, plan);
  }

  /** Those that hold this component or source. */
  public SnapshotFilter holding(String componentOrSource) {
    return new SnapshotFilter(last, componentOrSource, whole, unverified, plan);
  }

  /** Those that hold every source of their plan. */
  public SnapshotFilter whole() {
    return new SnapshotFilter(last, component, true, unverified, plan);
  }

  /** Those without a trusted record of an intact verification of exactly this entry. */
  public SnapshotFilter unverified() {
    return new SnapshotFilter(last, component, whole, true, plan);
  }

  /** Those of this plan. */
  public SnapshotFilter ofPlan(String name) {
    return new SnapshotFilter(last, component, whole, unverified, name);
  }

  /** Oldest time that passes, seen from {@code now}. */
  public Instant notBefore(Instant now) {
    if (last == null || last.compareTo(Duration.between(Instant.MIN, now)) >= 0) {
      return Instant.MIN;
    }
    return now.minus(last);
  }

  /** The component or source asked for. */
  public Optional<String> component() {
    return Optional.ofNullable(component);
  }

  /** The plan asked for. */
  public Optional<String> plan() {
    return Optional.ofNullable(plan);
  }

  /** Whether only whole ones were asked for. */
  public boolean isWholeOnly() {
    return whole;
  }

  /** Whether only unverified ones were asked for. */
  public boolean isUnverifiedOnly() {
    return unverified;
  }
}
