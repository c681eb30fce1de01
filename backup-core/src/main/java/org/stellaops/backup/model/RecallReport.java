package org.stellaops.backup.model;

import java.util.List;

/**
 * What taking back that a snapshot was let go brings back.
 *
 * @param snapshot which one
 * @param sources those of it that are listed again
 * @param findings HISTORY_GONE for each of these that needs a part of a recorded stream that is not
 *     there any more: such a capture can still be restored as it is where it brings along what it
 *     needs to be consistent, but nothing can be replayed on top of it. Or why nobody could look
 */
public record RecallReport(SnapshotId snapshot, List<SourceName> sources, List<Finding> findings) {
  public RecallReport {
    sources = List.copyOf(sources);
    findings = List.copyOf(findings);
  }

  /** Whether everything comes back that it takes to restore it, recorded streams among it. */
  public boolean isWhole() {
    return findings.isEmpty();
  }
}
