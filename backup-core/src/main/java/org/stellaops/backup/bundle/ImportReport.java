package org.stellaops.backup.bundle;

import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.LogHead;
import org.stellaops.backup.model.SnapshotId;

/**
 * What an import brought.
 *
 * @param snapshots that the bundle holds, which the copy now holds, too
 * @param heads the newest entry of each log in the bundle
 * @param isBackwards whether the copy had newer entries of each of these logs already
 * @param reason why it was imported all the same, if somebody said so
 * @param stored objects that were stored
 * @param there objects that had been there
 * @param swept what imports into the same copy had left in the quarantine when they were killed, by
 *     the names of its directories; removed before this one began
 */
public record ImportReport(
    List<SnapshotId> snapshots,
    List<LogHead> heads,
    boolean isBackwards,
    Optional<String> reason,
    long stored,
    long there,
    List<String> swept) {
  public ImportReport {
    snapshots = List.copyOf(snapshots);
    heads = List.copyOf(heads);
    swept = List.copyOf(swept);
  }
}
