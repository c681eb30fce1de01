package org.stellaops.backup.model;

/** Identity of a snapshot: a ULID, so that ids sort by the time the run began. */
public record SnapshotId(String value) implements SnapshotRef, Comparable<SnapshotId> {
  public SnapshotId {
    Label.require("snapshot id", value);
  }

  @Override
  public int compareTo(SnapshotId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
