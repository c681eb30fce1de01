package org.stellaops.backup.model;

import java.util.List;

/**
 * What a check of a whole repository found.
 *
 * @param repository its id
 * @param snapshots one report each
 * @param damage everything that is damaged or missing, by name: of snapshots, streams, logs, keys
 *     and fixed files
 * @param objects how many stored objects were looked at, each counted once however many need it
 * @param bytes how many stored bytes were read of them
 * @param unnamed what nothing names that counts
 */
public record RepositoryReport(
    String repository,
    List<VerificationReport> snapshots,
    List<Finding> damage,
    long objects,
    long bytes,
    Unnamed unnamed) {
  public RepositoryReport {
    snapshots = List.copyOf(snapshots);
    damage = List.copyOf(damage);
  }

  /**
   * What is in the store and no entry names: what runs left that failed or are under way, what
   * entries of streams have taken the place of, and what somebody else put there. It is no damage;
   * nothing is ever removed for being here.
   *
   * @param objects how many there are
   * @param bytes how many stored bytes they have
   * @param some at most {@link #MOST_NAMED} of them
   */
  public record Unnamed(long objects, long bytes, List<ObjectName> some) {
    /** So many are named. */
    public static final int MOST_NAMED = 1000;

    public Unnamed {
      some = List.copyOf(some);
    }
  }

  /** Whether nothing is damaged, as far as was looked. */
  public boolean isIntact() {
    return damage.isEmpty() && snapshots.stream().allMatch(VerificationReport::isIntact);
  }
}
