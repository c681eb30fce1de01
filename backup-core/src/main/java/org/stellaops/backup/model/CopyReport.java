package org.stellaops.backup.model;

import java.util.List;

/**
 * What a copy did.
 *
 * @param repository its id
 * @param target where to, for humans
 * @param label what the copy is called
 * @param snapshots that the target holds whole now, of those that were to be copied and of those
 *     that they build on
 * @param incomplete snapshots whose entries were not copied, since something of them is damaged or
 *     missing here
 * @param there how many objects had been there
 * @param sent how many objects were stored
 * @param byStore how many of these the target took from this store by itself
 * @param sentBytes stored bytes of what was stored
 * @param compared how many objects were compared with their digest in the target: all that were
 *     sent, and what had been there if that was asked for
 * @param stated how many of these the target was not read for, since it states a digest that it
 *     computed itself when it was given the bytes; the others were read to their end
 * @param removed how many objects went from the target, since retention removed them here
 * @param findings what is damaged or missing here, as far as it was to be copied
 */
public record CopyReport(
    String repository,
    String target,
    String label,
    List<SnapshotId> snapshots,
    List<SnapshotId> incomplete,
    long there,
    long sent,
    long byStore,
    long sentBytes,
    long compared,
    long stated,
    long removed,
    List<Finding> findings) {
  public CopyReport {
    snapshots = List.copyOf(snapshots);
    incomplete = List.copyOf(incomplete);
    findings = List.copyOf(findings);
  }

  /** Whether the target holds everything that it was to hold. */
  public boolean isComplete() {
    return incomplete.isEmpty() && findings.isEmpty();
  }

  /**
   * This report, if it is complete.
   *
   * @throws BackupException.Corrupt COPY_INCOMPLETE with what is damaged
   */
  public CopyReport requireComplete() throws BackupException.Corrupt {
    if (isComplete()) {
      return this;
    }
    throw new BackupException.Corrupt(
        CoreFailure.COPY_INCOMPLETE,
        "%d snapshots are not in %s: %s".formatted(incomplete.size(), target, findings),
        findings);
  }
}
