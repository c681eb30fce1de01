package org.stellaops.backup.retention;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.SnapshotId;

/**
 * What is to go: what the rules let go, or what is old, named or in the way. What is held, young or
 * needed, and the safety floor, stay whatever is asked for. Immutable.
 */
public final class PruneRequest {
  private final Deciding deciding;
  private final Map<SnapshotId, String> allowed;

  private PruneRequest(Deciding deciding, Map<SnapshotId, String> allowed) {
    this.deciding = deciding;
    this.allowed = allowed;
  }

  @FunctionalInterface
  private interface Deciding {
    PrunePreview decide(Retaining retaining) throws BackupException;
  }

  /** What the rules let go. */
  public static PruneRequest byRules() {
    return new PruneRequest(Retaining::decide, Map.of());
  }

  /** What is older than this, whatever the rules keep. */
  public static PruneRequest olderThan(Duration age) {
    Retention.keepFor(age);
    return new PruneRequest(retaining -> retaining.olderThan(age), Map.of());
  }

  /**
   * For a store that is full: what is not among the newest good captures of its source, oldest
   * first.
   *
   * @param good how many good captures stay of each source, at least 1
   * @param bytesToFree when to stop, at least 1; {@link Long#MAX_VALUE} for never
   */
  public static PruneRequest keepLast(int good, long bytesToFree) {
    Retention.keepLast(good);
    if (bytesToFree < 1) {
      throw new IllegalArgumentException("bytes to free must be 1 or more, found " + bytesToFree);
    }
    return new PruneRequest(retaining -> retaining.keepLast(good, bytesToFree), Map.of());
  }

  /**
   * These snapshots and nothing else; planning it is refused if one of them has to stay.
   *
   * @param reason why; not blank; recorded with the release
   */
  public static PruneRequest release(Collection<SnapshotId> snapshots, String reason) {
    List<SnapshotId> named = List.copyOf(snapshots);
    if (reason.isBlank() || named.isEmpty()) {
      throw new IllegalArgumentException("a release by name needs a name and a reason");
    }
    return new PruneRequest(retaining -> retaining.release(named, reason), Map.of());
  }

  /**
   * The same, which may also let go of a snapshot though it is the last good one.
   *
   * @param reason why it is known to be worthless; not blank; recorded with its release
   */
  public PruneRequest allowingLastGood(SnapshotId snapshot, String reason) {
    if (reason.isBlank()) {
      throw new IllegalArgumentException("releasing the last good one needs a reason: " + snapshot);
    }
    Map<SnapshotId, String> more = new TreeMap<>(allowed);
    more.put(snapshot, reason);
    return new PruneRequest(deciding, more);
  }

  /**
   * Decides.
   *
   * @throws BackupException.Refused SAFETY_FLOOR if something was named that has to stay; NOT_FOUND
   *     or AMBIGUOUS
   */
  public PrunePreview decide(History history, RetentionRules rules) throws BackupException {
    Retaining retaining = Retaining.of(history, rules);
    for (Map.Entry<SnapshotId, String> one : allowed.entrySet()) {
      retaining = retaining.allowLastGood(one.getKey(), one.getValue());
    }
    return deciding.decide(retaining).by(this);
  }
}
