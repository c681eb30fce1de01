package org.stellaops.backup.model;

import java.time.Instant;

/**
 * Which part of an endless history a capture needs to be consistent. Readable without an identity:
 * it decides which recorded stream leads on from the capture, and how long that has to be kept.
 *
 * @param start from here on the history is needed
 * @param end from here on the capture is consistent; not before {@code start}
 * @param recoverableFrom earliest instant, by the source's clock, to which a replay on top of the
 *     capture can be told to go
 */
public record CaptureSpan(Position start, Position end, Instant recoverableFrom) {
  public CaptureSpan {
    boolean isOneBranch = start.lineage().equals(end.lineage()) && start.branch() == end.branch();
    if (!isOneBranch || Long.compareUnsigned(start.offset(), end.offset()) > 0) {
      throw new IllegalArgumentException(
          "no span of one branch: %s of %s to %s of %s"
              .formatted(start, start.lineage(), end, end.lineage()));
    }
  }
}
