package org.stellaops.backup.plan;

import java.util.List;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SnapshotSummary;

/**
 * What a copy would do now.
 *
 * @param target where to, for humans
 * @param snapshots that the target would hold whole, those among them that others build on
 * @param objectsThere how many objects it has
 * @param objectsToSend how many it does not have
 * @param bytesToSend stored bytes of these
 * @param conflicts objects that stand there with another size: nothing is copied while there are
 *     any
 */
public record CopyPlan(
    String target,
    List<SnapshotSummary> snapshots,
    long objectsThere,
    long objectsToSend,
    long bytesToSend,
    List<ObjectName> conflicts) {
  /** So many conflicts are named at most. */
  public static final int MOST_NAMED = 1000;

  public CopyPlan {
    snapshots = List.copyOf(snapshots);
    conflicts = List.copyOf(conflicts);
  }

  /** Whether nothing stands in the way. */
  public boolean isPossible() {
    return conflicts.isEmpty();
  }

  /** In words. */
  public String describe() {
    StringBuilder text = new StringBuilder();
    text.append(
        "copy %d snapshots to %s: %d objects are there, %d objects of %d bytes are to be sent\n"
            .formatted(snapshots.size(), target, objectsThere, objectsToSend, bytesToSend));
    snapshots.forEach(s -> text.append("  ").append(s.name()).append('\n'));
    conflicts.forEach(c -> text.append("in the way: ").append(c).append('\n'));
    return text.toString();
  }
}
