package org.stellaops.backup.parity;

import java.util.List;
import org.stellaops.backup.model.Finding;

/**
 * What a verification of protected files found.
 *
 * @param files how many protected files were looked at
 * @param groups how many groups there are
 * @param bytes how many bytes were read, volumes included
 * @param damaged each file that is missing or damaged, in the order of names
 * @param volumes each parity volume that is missing or damaged
 * @param unprotected files of the repository that are in no group yet, in the order of names
 */
public record ParityReport(
    long files,
    int groups,
    long bytes,
    List<Damage> damaged,
    List<Finding> volumes,
    List<String> unprotected) {
  public ParityReport {
    damaged = List.copyOf(damaged);
    volumes = List.copyOf(volumes);
    unprotected = List.copyOf(unprotected);
  }

  /** Whether every protected file and every volume is as it should be. */
  public boolean isIntact() {
    return damaged.isEmpty() && volumes.isEmpty();
  }

  /** Whether a repair would bring back every file. */
  public boolean isRepairable() {
    return damaged.stream().allMatch(Damage::isRepairable);
  }

  /**
   * A file that is missing or damaged.
   *
   * @param name from the repository's root
   * @param isRepairable whether a repair would bring it back
   * @param found what was expected and what was found
   */
  public record Damage(String name, boolean isRepairable, String found) {
    /** The same as a finding. */
    public Finding finding() {
      return new Finding(isRepairable ? ParityFailure.REPAIRABLE : ParityFailure.LOST, name, found);
    }
  }
}
