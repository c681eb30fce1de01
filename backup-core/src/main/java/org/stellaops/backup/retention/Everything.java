package org.stellaops.backup.retention;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.spi.RetentionDecision;
import org.stellaops.backup.spi.RetentionPolicy;

/** Keeps all. */
record Everything() implements RetentionPolicy {
  @Override
  public RetentionDecision decide(List<CaptureHeader> captures, Instant now) {
    Map<SnapshotId, List<String>> kept = new LinkedHashMap<>();
    captures.forEach(c -> kept.put(c.snapshot(), List.of(describe())));
    return new RetentionDecision(kept);
  }

  @Override
  public String describe() {
    return "everything";
  }

  @Override
  public String toString() {
    return describe();
  }
}
