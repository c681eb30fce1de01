package org.stellaops.backup.retention;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.spi.RetentionDecision;
import org.stellaops.backup.spi.RetentionPolicy;

/**
 * Keeps by age.
 *
 * @param age the oldest that is kept
 * @param isReachedBack whether the newest good capture at or before that age is kept, too
 */
record Younger(Duration age, boolean isReachedBack) implements RetentionPolicy {
  @Override
  public RetentionDecision decide(List<CaptureHeader> captures, Instant now) {
    Instant oldest = now.minus(age);
    Map<SnapshotId, List<String>> kept = new LinkedHashMap<>();
    for (CaptureHeader capture : captures) {
      if (!capture.time().isBefore(oldest)) {
        kept.put(capture.snapshot(), List.of("at most " + Retention.text(age) + " old"));
      }
    }
    if (isReachedBack) {
      captures.stream()
          .filter(c -> c.outcome() == Outcome.GOOD && !leadsOnFrom(c).isAfter(oldest))
          .findFirst()
          .ifPresent(c -> kept.put(c.snapshot(), List.of("leads to all of " + describe())));
    }
    return new RetentionDecision(kept);
  }

  /** A base backup cannot be taken to an instant before its own end. */
  private static Instant leadsOnFrom(CaptureHeader capture) {
    return capture
        .span()
        .map(CaptureSpan::recoverableFrom)
        .filter(end -> end.isAfter(capture.time()))
        .orElse(capture.time());
  }

  @Override
  public Optional<Duration> recoverableFor() {
    return isReachedBack ? Optional.of(age) : Optional.empty();
  }

  @Override
  public String describe() {
    return (isReachedBack ? "the last " : "at most ")
        + Retention.text(age)
        + (isReachedBack ? "" : " old");
  }

  @Override
  public String toString() {
    return describe();
  }
}
