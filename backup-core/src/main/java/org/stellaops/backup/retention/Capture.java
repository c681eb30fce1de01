package org.stellaops.backup.retention;

import java.time.Instant;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotSummary;

/** One source of one snapshot, of which one decides; equal to itself only. */
final class Capture {
  private final SnapshotSummary snapshot;
  private final CaptureHeader header;
  private final boolean counts;
  private final Instant notBefore;

  /**
   * @param header with the time that counts
   * @param counts whether its writer is one of those whose captures count
   * @param notBefore a time before which it cannot have been committed
   */
  Capture(SnapshotSummary snapshot, CaptureHeader header, boolean counts, Instant notBefore) {
    this.snapshot = snapshot;
    this.header = header;
    this.counts = counts;
    this.notBefore = notBefore;
  }

  SnapshotSummary snapshot() {
    return snapshot;
  }

  CaptureHeader header() {
    return header;
  }

  boolean counts() {
    return counts;
  }

  /** Its own time, or a later one of a predecessor in its log: it was committed after that. */
  Instant notBefore() {
    return notBefore;
  }

  String log() {
    return snapshot.writer();
  }

  long sequence() {
    return snapshot.sequence();
  }

  Instant time() {
    return header.time();
  }

  boolean isGood() {
    return header.outcome() == Outcome.GOOD;
  }

  /** For messages: {@code database of 01jd… (host-a/17)}. */
  @Override
  public String toString() {
    return header.source() + " of " + snapshot.id() + " (" + log() + "/" + sequence() + ")";
  }
}
