package org.stellaops.backup.spi;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.model.SnapshotId;

/**
 * What a policy keeps of one source, and why; what it does not name, it releases.
 *
 * @param kept reasons by snapshot
 */
public record RetentionDecision(Map<SnapshotId, List<String>> kept) {
  private static final RetentionDecision NOTHING = new RetentionDecision(Map.of());

  public RetentionDecision {
    Map<SnapshotId, List<String>> copy = new LinkedHashMap<>();
    kept.forEach((snapshot, reasons) -> copy.put(snapshot, List.copyOf(reasons)));
    kept = Map.copyOf(copy);
  }

  /** Keeps nothing. */
  public static RetentionDecision nothing() {
    return NOTHING;
  }

  /** Whether it keeps the capture in this snapshot. */
  public boolean keeps(SnapshotId snapshot) {
    return kept.containsKey(snapshot);
  }

  /** What either keeps, with the reasons of both. */
  public RetentionDecision and(RetentionDecision other) {
    Map<SnapshotId, List<String>> both = new LinkedHashMap<>(kept);
    other.kept.forEach(
        (snapshot, reasons) -> both.merge(snapshot, reasons, RetentionDecision::joined));
    return new RetentionDecision(both);
  }

  private static List<String> joined(List<String> some, List<String> more) {
    List<String> all = new ArrayList<>(some);
    more.stream().filter(reason -> !all.contains(reason)).forEach(all::add);
    return all;
  }
}
