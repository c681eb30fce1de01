package org.stellaops.backup.retention;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.spi.RetentionDecision;
import org.stellaops.backup.spi.RetentionPolicy;

/**
 * Keeps by number.
 *
 * @param captures how many good ones
 */
record NewestGood(int captures) implements RetentionPolicy {
  @Override
  public RetentionDecision decide(List<CaptureHeader> all, Instant now) {
    Map<SnapshotId, List<String>> kept = new LinkedHashMap<>();
    all.stream()
        .filter(c -> c.outcome() == Outcome.GOOD)
        .limit(captures)
        .forEach(
            c ->
                kept.put(
                    c.snapshot(),
                    List.of("good one %d of %d".formatted(kept.size() + 1, captures))));
    return new RetentionDecision(kept);
  }

  @Override
  public String describe() {
    return "the newest " + captures + " good";
  }

  @Override
  public String toString() {
    return describe();
  }
}
