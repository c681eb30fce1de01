package org.stellaops.backup.plan;

import java.util.List;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.spi.BackupSink;

/** What is to be copied, and where to. Immutable. */
public final class CopyRequest {
  private static final int AT_ONCE = 4;

  /** There are as many threads that wait for others. */
  private static final int MOST_AT_ONCE = 8;

  private final BackupSink target;
  private final String label;
  private final SnapshotFilter filter;
  private final List<SnapshotRef> named;
  private final boolean isEverythingCompared;
  private final boolean isFollowing;
  private final int objectsAtOnce;

  private CopyRequest(
      BackupSink target,
      String label,
      SnapshotFilter filter,
      List<SnapshotRef> named,
      boolean isEverythingCompared,
      boolean isFollowing,
      int objectsAtOnce) {
    this.target = target;
    this.label = label;
    this.filter = filter;
    this.named = List.copyOf(named);
    this.isEverythingCompared = isEverythingCompared;
    this.isFollowing = isFollowing;
    this.objectsAtOnce = objectsAtOnce;
  }

  /** Copies everything there, as far as it is missing. */
  public static CopyRequest to(BackupSink target) {
    return new CopyRequest(target, "", SnapshotFilter.all(), List.of(), false, false, AT_ONCE);
  }

  /**
   * What the copy is called, if it is new: one that is there keeps its label.
   *
   * @param label {@code [A-Za-z0-9._-]{0,120}}; readable without a key
   */
  public CopyRequest labelled(String label) {
    if (!label.matches("[A-Za-z0-9._-]{0,120}")) {
      throw new IllegalArgumentException("label '" + label + "', expected [A-Za-z0-9._-]{0,120}");
    }
    return new CopyRequest(
        target, label, filter, named, isEverythingCompared, isFollowing, objectsAtOnce);
  }

  /** Copies only the snapshots that pass, with what they build on. */
  public CopyRequest only(SnapshotFilter passing) {
    return new CopyRequest(
        target, label, passing, named, isEverythingCompared, isFollowing, objectsAtOnce);
  }

  /** Copies only these snapshots, with what they build on. */
  public CopyRequest only(SnapshotRef... snapshots) {
    return new CopyRequest(
        target,
        label,
        filter,
        List.of(snapshots),
        isEverythingCompared,
        isFollowing,
        objectsAtOnce);
  }

  /**
   * Reads every object of the copy to its end in the target and compares, also what it had already,
   * and also where the target itself can state the digest of what it was given.
   */
  public CopyRequest comparingEverything() {
    return new CopyRequest(target, label, filter, named, true, isFollowing, objectsAtOnce);
  }

  /**
   * Then also removes from the copy what retention removed from the primary, and nothing else.
   * Whoever copies has to pin the key that signs retention.
   */
  public CopyRequest followingDeletions() {
    return new CopyRequest(target, label, filter, named, isEverythingCompared, true, objectsAtOnce);
  }

  /**
   * How many objects are copied at the same time: 4 if it is not said. Memory for each is what the
   * target takes for one put. Entries wait for all that they name.
   *
   * @param objects 1 to 8
   */
  public CopyRequest atOnce(int objects) {
    if (objects < 1 || objects > MOST_AT_ONCE) {
      throw new IllegalArgumentException(
          "%d objects at once, expected 1 to %d".formatted(objects, MOST_AT_ONCE));
    }
    return new CopyRequest(
        target, label, filter, named, isEverythingCompared, isFollowing, objects);
  }

  /** Where to. */
  public BackupSink target() {
    return target;
  }

  /** What the copy is called if it is new. */
  public String label() {
    return label;
  }

  /** Which snapshots, unless some are named. */
  public SnapshotFilter filter() {
    return filter;
  }

  /** Which snapshots; all that pass the filter where none is named. */
  public List<SnapshotRef> named() {
    return named;
  }

  /** Whether deletions of the primary are carried out in the copy. */
  public boolean isFollowingDeletions() {
    return isFollowing;
  }

  /** Whether what is there is read, too. */
  public boolean isEverythingCompared() {
    return isEverythingCompared;
  }

  /** How many objects are copied at the same time. */
  public int objectsAtOnce() {
    return objectsAtOnce;
  }
}
