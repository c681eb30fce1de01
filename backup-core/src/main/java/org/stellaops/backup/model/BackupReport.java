package org.stellaops.backup.model;

import java.time.Duration;
import java.util.List;

/**
 * What a run made. There is one if and only if the snapshot exists.
 *
 * @param run the run
 * @param snapshot the snapshot it made
 * @param name the snapshot's human name
 * @param outcome GOOD, DEGRADED or PARTIAL
 * @param findings everything that was noticed
 * @param captures one per captured source
 * @param took from start to commit
 */
public record BackupReport(
    RunId run,
    SnapshotId snapshot,
    SnapshotName name,
    Outcome outcome,
    List<Finding> findings,
    List<CaptureHeader> captures,
    Duration took) {
  public BackupReport {
    findings = List.copyOf(findings);
    captures = List.copyOf(captures);
  }

  /**
   * This report, if the outcome is GOOD.
   *
   * @throws BackupException.Refused with the findings, if it is not
   */
  public BackupReport requireGood() throws BackupException {
    if (outcome != Outcome.GOOD) {
      throw new BackupException.Refused(
          CoreFailure.BLOCKED,
          "snapshot %s is %s, not GOOD: %s".formatted(name, outcome, findings),
          findings);
    }
    return this;
  }

  /** Bytes read from all sources. */
  public long plainBytes() {
    return captures.stream().mapToLong(CaptureHeader::plainBytes).sum();
  }

  /** Bytes of the compressed chunks that this run stored. */
  public long newBytes() {
    return captures.stream().mapToLong(CaptureHeader::newBytes).sum();
  }
}
