package org.stellaops.backup.spi;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.stellaops.backup.model.CaptureHeader;

/**
 * Which captures of one source to keep: a pure function, without input, output, clock or memory.
 *
 * <ul>
 *   <li>The captures are of one source of one writer, newest first, whatever their outcome. Only
 *       captures of pinned writers are among them.
 *   <li>What the decision does not name is released, unless a hold, the safety floor or another
 *       capture that needs it keeps it.
 *   <li>Deciding again over what was kept, at the same instant, keeps all of it.
 *   <li>A capture that is not {@link org.stellaops.backup.model.Outcome#GOOD} must never be the
 *       reason for which a good one is released.
 * </ul>
 */
@FunctionalInterface
public interface RetentionPolicy {
  /**
   * Decides.
   *
   * @param captures of one source, newest first
   * @param now by the clock of whoever deletes
   */
  RetentionDecision decide(List<CaptureHeader> captures, Instant now);

  /** What it keeps, for humans; a part of what consent is given to, so the same in each process. */
  default String describe() {
    return "a policy of the plan";
  }

  /**
   * How far back it wants every instant to be in reach, where a recorded stream leads there; empty
   * if it promises single captures only. What is in reach is held against it.
   */
  default Optional<Duration> recoverableFor() {
    return Optional.empty();
  }

  /** Keeps what either keeps. */
  default RetentionPolicy and(RetentionPolicy other) {
    RetentionPolicy first = this;
    return new RetentionPolicy() {
      @Override
      public RetentionDecision decide(List<CaptureHeader> captures, Instant now) {
        return first.decide(captures, now).and(other.decide(captures, now));
      }

      @Override
      public String describe() {
        return first.describe() + " and " + other.describe();
      }

      @Override
      public Optional<Duration> recoverableFor() {
        return Stream.of(first, other)
            .flatMap(policy -> policy.recoverableFor().stream())
            .max(Comparator.naturalOrder());
      }

      @Override
      public String toString() {
        return describe();
      }
    };
  }
}
