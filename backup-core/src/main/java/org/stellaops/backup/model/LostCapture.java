package org.stellaops.backup.model;

import java.util.Optional;

/**
 * A source of a snapshot that cannot be restored, since something that it needs is damaged.
 *
 * @param snapshot identity of the snapshot
 * @param name its name
 * @param source which source of it
 * @param component which component the source is of
 * @param newer the oldest newer snapshot that has this source undamaged; empty if there is none
 */
public record LostCapture(
    SnapshotId snapshot,
    SnapshotName name,
    SourceName source,
    Component component,
    Optional<SnapshotName> newer) {
  @Override
  public String toString() {
    return "%s/%s of snapshot %s; %s"
        .formatted(
            component,
            source,
            name,
            newer
                .map(n -> "snapshot " + n + " still has it as it was later")
                .orElse("no newer snapshot has it"));
  }
}
