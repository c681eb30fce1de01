package org.stellaops.backup;

import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.internal.run.SnapshotAccess;
import org.stellaops.backup.internal.run.SnapshotList;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.plan.SnapshotFilter;

/**
 * What there is: read from the store at each call, without an identity and without local state.
 * From any thread.
 */
public final class Catalog {
  private final SnapshotAccess access;
  private final InstantSource clock;

  Catalog(SnapshotAccess access, InstantSource clock) {
    this.access = access;
    this.clock = clock;
  }

  /**
   * The snapshots that pass, newest first.
   *
   * @throws BackupException.Refused NOT_FOUND if the filter names a component that no snapshot
   *     holds
   */
  public List<SnapshotSummary> list(SnapshotFilter filter) throws BackupException {
    return BackupRepository.translated(
        "list",
        () ->
            access.list().matching(filter, clock.instant()).stream()
                .map(SnapshotList.Known::summary)
                .toList());
  }

  /** The snapshot, if there is exactly one that is meant. */
  public Optional<SnapshotSummary> find(SnapshotRef ref) throws BackupException {
    return BackupRepository.translated(
        "find",
        () -> {
          List<SnapshotList.Known> found = access.list().find(ref);
          return found.size() > 1
              ? Optional.of(access.require(ref).summary())
              : found.stream().map(SnapshotList.Known::summary).findFirst();
        });
  }

  /**
   * The snapshot.
   *
   * @throws BackupException.Refused NOT_FOUND with the nearest names, or AMBIGUOUS
   */
  public SnapshotSummary info(SnapshotRef ref) throws BackupException {
    return BackupRepository.translated("info", () -> access.require(ref).summary());
  }

  /**
   * Everything in the logs that is not as it should be: missing, moved, replaced or foreign
   * entries.
   */
  public List<Finding> damage() throws BackupException {
    return BackupRepository.translated(
        "read logs",
        () -> access.list().logs().stream().flatMap(l -> l.damage().stream()).toList());
  }

  /** A step that may fail in any way. */
  @FunctionalInterface
  interface Step<T> {
    T run() throws IOException;
  }
}
