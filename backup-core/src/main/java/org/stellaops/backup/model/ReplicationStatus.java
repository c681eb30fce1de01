package org.stellaops.backup.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which snapshots are where, as the stores themselves tell it.
 *
 * @param stores the primary first, then the replicas in the order of the plan
 * @param snapshots those of the primary, newest first
 * @param streams how far each replica is with each stream of the plan
 * @param findings stores that could not be asked, and what of them is damaged
 */
public record ReplicationStatus(
    List<Place> stores,
    List<Replicated> snapshots,
    List<StreamCopy> streams,
    List<Finding> findings) {
  public ReplicationStatus {
    stores = List.copyOf(stores);
    snapshots = List.copyOf(snapshots);
    streams = List.copyOf(streams);
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

  /**
   * How far a replica is with a stream. Replicas follow each entry of a stream while it is
   * recorded, and each run.
   *
   * @param location of the replica, for humans
   * @param stream what the plan calls it
   * @param recorded how far it is recorded in the primary; empty if nothing is
   * @param held how far the replica holds it; empty if it holds nothing of it
   */
  public record StreamCopy(
      String location, SourceName stream, Optional<Position> recorded, Optional<Position> held) {
    /** Whether the replica holds it as far as it is recorded. */
    public boolean isUpToDate() {
      return recorded.equals(held);
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
