package org.stellaops.backup.model;

import java.util.Optional;

/** How a caller names a snapshot. */
public sealed interface SnapshotRef
    permits SnapshotId, SnapshotRef.Named, SnapshotRef.Newest, SnapshotRef.Reaching {
  /** The snapshot of this name; refused where two writers each have one. */
  record Named(SnapshotName name) implements SnapshotRef {
    @Override
    public String toString() {
      return name.value();
    }
  }

  /**
   * The newest by source time among those of at least this quality.
   *
   * @param holding the source or component that is wanted; without one, only snapshots that hold
   *     every source of their plan count
   */
  record Newest(Quality quality, Optional<String> holding) implements SnapshotRef {
    /**
     * The newest in which this source, every source of this component, or {@code component/source}
     * is good, whatever became of the others.
     */
    public Newest holding(String sourceOrComponent) {
      return new Newest(quality, Optional.of(sourceOrComponent));
    }

    @Override
    public String toString() {
      return "newest " + quality + holding.map(what -> " holding " + what).orElse("");
    }
  }

  /**
   * The newest good snapshot from which a point may be reached by replaying what was recorded
   * since; whether it is reached, the plan of a restore tells.
   */
  record Reaching(RecoveryPoint point) implements SnapshotRef {
    @Override
    public String toString() {
      return "one that leads to " + point;
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

  /** The newest snapshot of at least this quality that holds every source of its plan. */
  static Newest newest(Quality quality) {
    return new Newest(quality, Optional.empty());
  }

  /** The newest good snapshot from which a point may be reached. */
  static SnapshotRef reaching(RecoveryPoint point) {
    return new Reaching(point);
  }
}
