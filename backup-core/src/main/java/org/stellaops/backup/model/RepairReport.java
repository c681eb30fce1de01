package org.stellaops.backup.model;

import java.util.List;

/**
 * What a repair did.
 *
 * @param stored objects that were stored again and read back
 * @param failed what could not be stored, and why; it can be tried again
 * @param unrepaired what is damaged and has no sound copy, or cannot be set aside, each with what
 *     to do about it
 * @param lost sources of snapshots that cannot be restored, as it was planned; what their source
 *     still has, the next backup stores again
 * @param isToBeRepeated whether something that was stored names other objects, an entry or a list:
 *     nobody could look at those before, so what they lack is found by planning once more
 */
public record RepairReport(
    List<ObjectName> stored,
    List<Finding> failed,
    List<Finding> unrepaired,
    List<LostCapture> lost,
    boolean isToBeRepeated) {
  public RepairReport {
    stored = List.copyOf(stored);
    failed = List.copyOf(failed);
    unrepaired = List.copyOf(unrepaired);
    lost = List.copyOf(lost);
  }

  /** Whether everything that was damaged is sound again, and nothing is left to look at. */
  public boolean isWhole() {
    return !isToBeRepeated && failed.isEmpty() && unrepaired.isEmpty() && lost.isEmpty();
  }
}
