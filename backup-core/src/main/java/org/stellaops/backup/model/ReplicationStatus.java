package org.stellaops.backup.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which snapshots are where, as the stores themselves tell it.
 *
 * @param stores the primary first, then the replicas in the order of the plan
 * @param snapshots those of the primary, newest first
 * @param findings stores that could not be asked, and what of them is damaged
 */
public record ReplicationStatus(
    List<Place> stores, List<Replicated> snapshots, List<Finding> findings) {
  public ReplicationStatus {
    stores = List.copyOf(stores);
    snapshots = List.copyOf(snapshots);
    findings = List.copyOf(findings);
  }

  /**
   * A store.
   *
   * @param location for humans
   * @param labels where it is
   * @param newest snapshot that it holds
   * @param holds how many of the primary's snapshots it holds whole
   */
  public record Place(
      String location, Map<String, String> labels, Optional<SnapshotName> newest, long holds) {
    public Place {
      labels = Map.copyOf(labels);
    }
  }

  /**
   * A snapshot.
   *
   * @param snapshot which
   * @param name for humans
   * @param heldBy locations of the stores that hold it whole
   * @param counted how many of these the policy counts
   * @param isMet whether these are enough
   */
  public record Replicated(
      SnapshotId snapshot, SnapshotName name, List<String> heldBy, int counted, boolean isMet) {
    public Replicated {
      heldBy = List.copyOf(heldBy);
    }
  }

  /** Snapshots that are in fewer places than the policy wants, newest first. */
  public List<Replicated> underReplicated() {
    return snapshots.stream().filter(s -> !s.isMet()).toList();
  }

  /** Whether every snapshot is in as many places as the policy wants. */
  public boolean isMet() {
    return underReplicated().isEmpty();
  }
}
