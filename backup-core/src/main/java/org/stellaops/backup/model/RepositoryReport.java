package org.stellaops.backup.model;

import java.util.List;

/**
 * What a check of a whole repository found.
 *
 * @param repository its id
 * @param snapshots one report each
 * @param damage everything that is damaged or missing, by name: of snapshots, logs, keys and fixed
 *     files
 */
public record RepositoryReport(
    String repository, List<VerificationReport> snapshots, List<Finding> damage) {
  public RepositoryReport {
    snapshots = List.copyOf(snapshots);
    damage = List.copyOf(damage);
  }

  /** Whether nothing is damaged. */
  public boolean isIntact() {
    return damage.isEmpty() && snapshots.stream().allMatch(VerificationReport::isIntact);
  }
}
