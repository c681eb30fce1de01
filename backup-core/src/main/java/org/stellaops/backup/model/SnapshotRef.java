package org.stellaops.backup.model;

/** How a caller names a snapshot. */
public sealed interface SnapshotRef permits SnapshotId, SnapshotRef.Named, SnapshotRef.Newest {
  /** The snapshot of this name; refused where two writers each have one. */
  record Named(SnapshotName name) implements SnapshotRef {
    @Override
    public String toString() {
      return name.value();
    }
  }

  /** The newest by source time among those of at least this quality. */
  record Newest(Quality quality) implements SnapshotRef {
    @Override
    public String toString() {
      return "newest " + quality;
    }
  }

  /** What is known about a snapshot. */
  enum Quality {
    /** Complete and without findings. */
    GOOD,
    /** Good, and a machine has re-read it and found it intact. */
    VERIFIED
  }

  /**
   * The snapshot called {@code name}.
   *
   * @throws IllegalArgumentException if that cannot be a name
   */
  static SnapshotRef named(String name) {
    return new Named(SnapshotName.of(name));
  }

  /** The newest snapshot of at least this quality. */
  static SnapshotRef newest(Quality quality) {
    return new Newest(quality);
  }
}
