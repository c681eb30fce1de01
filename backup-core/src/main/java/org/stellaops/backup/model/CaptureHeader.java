package org.stellaops.backup.model;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Of one source of one snapshot, what is signed and readable without an identity: enough to list,
 * to keep and to alert. Paths, versions and counts are not in it; they are sealed, see {@link
 * CapturedSource}.
 *
 * @param snapshot the snapshot it belongs to
 * @param source what the plan calls the source
 * @param component which part of the system
 * @param kind format of the artifacts
 * @param time when the capture of this source began, by the writer's clock
 * @param sequence place of the snapshot's entry in its writer's log
 * @param outcome how this source ended
 * @param parents snapshots this capture cannot be restored without
 * @param span its place in the history of the source, where it has one
 * @param plainBytes bytes read from the source
 * @param storedBytes bytes that it takes up compressed, whoever stored them; a chunk that occurs
 *     twice counts twice
 * @param newBytes bytes of the compressed chunks that were stored for it, since nothing had stored
 *     them before
 */
public record CaptureHeader(
    SnapshotId snapshot,
    SourceName source,
    Component component,
    SourceKind kind,
    Instant time,
    long sequence,
    Outcome outcome,
    List<SnapshotId> parents,
    Optional<CaptureSpan> span,
    long plainBytes,
    long storedBytes,
    long newBytes) {
  public CaptureHeader {
    parents = List.copyOf(parents);
  }

  /** Whether it needs another snapshot to be restored. */
  public boolean isIncremental() {
    return !parents.isEmpty();
  }
}
