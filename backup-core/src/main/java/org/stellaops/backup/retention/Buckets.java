package org.stellaops.backup.retention;

import java.time.Instant;
import java.time.LocalDateTime;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.spi.RetentionDecision;
import org.stellaops.backup.spi.RetentionPolicy;

/**
 * Keeps the newest good capture of each bucket.
 *
 * @param bucket how long one is
 * @param buckets how many, of those that hold a good capture
 */
record Buckets(Bucket bucket, int buckets) implements RetentionPolicy {
  @Override
  public RetentionDecision decide(List<CaptureHeader> captures, Instant now) {
    Map<SnapshotId, List<String>> kept = new LinkedHashMap<>();
    Set<LocalDateTime> filled = new HashSet<>();
    for (CaptureHeader capture : captures) {
      LocalDateTime start = bucket.startOf(capture.time());
      if (capture.outcome() == Outcome.GOOD && filled.size() < buckets && filled.add(start)) {
        kept.put(
            capture.snapshot(),
            List.of(
                "newest good of its %s, %d of %d"
                    .formatted(bucket.singular(), filled.size(), buckets)));
      }
    }
    return new RetentionDecision(kept);
  }

  @Override
  public String describe() {
    return "the newest good of each of " + buckets + " " + bucket.singular() + "s";
  }

  @Override
  public String toString() {
    return describe();
  }
}
