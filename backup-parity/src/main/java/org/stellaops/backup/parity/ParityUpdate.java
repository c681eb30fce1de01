package org.stellaops.backup.parity;

import java.util.List;
import org.stellaops.backup.model.Finding;

/**
 * What an update did.
 *
 * @param files how many files are protected now
 * @param groups how many groups there are now
 * @param written how many volumes were written
 * @param removed how many volumes were removed, which nothing needs any more
 * @param findings what could not be protected, and what else was noticed
 */
public record ParityUpdate(
    long files, int groups, int written, int removed, List<Finding> findings) {
  public ParityUpdate {
    findings = List.copyOf(findings);
  }

  /** Whether everything in the repository is protected and nothing was found damaged. */
  public boolean isComplete() {
    return findings.stream().allMatch(f -> f.code() == ParityFailure.IGNORED);
  }
}
