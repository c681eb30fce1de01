package org.stellaops.backup;

import java.util.List;
import java.util.Optional;
import org.stellaops.backup.internal.run.SnapshotAccess;
import org.stellaops.backup.internal.run.SnapshotList;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Freshness;
import org.stellaops.backup.model.RecoverableRange;
import org.stellaops.backup.model.RunRecord;
import org.stellaops.backup.model.SlotRange;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StorageReport;
import org.stellaops.backup.plan.SnapshotFilter;

/**
 * What there is: read from the store at each call, without an identity and without local state.
 * Where there is a workspace, entries that were read before are not read again unless the store
 * lists them as changed; {@link #damage} reads all of them. From any thread.
 */
public final class Catalog {
  private final BackupRepository repository;
  private final SnapshotAccess access;

  Catalog(BackupRepository repository, SnapshotAccess access) {
    this.repository = repository;
    this.access = access;
  }

  /**
   * The snapshots that pass, newest first.
   *
   * @throws BackupException.Refused NOT_FOUND if the filter names a component that no snapshot
   *     holds
   */
  public List<SnapshotSummary> list(SnapshotFilter filter) throws BackupException {
    return repository.stoppable(
        "list", stop -> access.matching(filter).stream().map(SnapshotList.Known::summary).toList());
  }

  /** The snapshot, if there is exactly one that is meant. */
  public Optional<SnapshotSummary> find(SnapshotRef ref) throws BackupException {
    return repository.stoppable(
        "find",
        stop -> {
          List<SnapshotList.Known> found = access.list().find(ref);
          return found.size() > 1
              ? Optional.of(access.list().require(ref).summary())
              : found.stream().map(SnapshotList.Known::summary).findFirst();
        });
  }

  /**
   * The snapshot.
   *
   * @throws BackupException.Refused NOT_FOUND with the nearest names, or AMBIGUOUS
   */
  public SnapshotSummary info(SnapshotRef ref) throws BackupException {
    return repository.stoppable("info", stop -> access.list().require(ref).summary());
  }

  /**
   * The runs of all writers, newest first: those under way, those that ended without a snapshot,
   * and those that made one.
   */
  public List<RunRecord> runs() throws BackupException {
    return repository.stoppable("list runs", stop -> access.runs());
  }

  /** What is recorded of each stream, its gaps and its named places. */
  public List<Coverage> streams() throws BackupException {
    return repository.stoppable("list streams", stop -> access.streams());
  }

  /**
   * The instants to which a source can be taken, oldest snapshot first: of each good snapshot that
   * has a place in a recorded history, how far that history goes on without a gap.
   */
  public List<RecoverableRange> recoverable(String source) throws BackupException {
    SourceName name = SourceName.of(source);
    return repository.stoppable("list recoverable ranges", stop -> access.recoverable(name));
  }

  /**
   * How new each writer's log is, as far as it can be told: its newest entry, to be printed and
   * kept where the store cannot reach it, and whether anybody saw it before. Of a store that nobody
   * saw before it says that its freshness is unproven.
   */
  public List<Freshness> freshness() throws BackupException {
    return repository.stoppable("read logs", stop -> access.freshness());
  }

  /**
   * What the repository takes of its store, how fast it grows, and for how long there is room.
   * Lists every object.
   */
  public StorageReport storage() throws BackupException {
    return repository.stoppable("survey the store", access::storage);
  }

  /**
   * Everything in the logs that is not as it should be: missing, moved, replaced or foreign
   * entries.
   */
  public List<Finding> damage() throws BackupException {
    return repository.stoppable("read logs", stop -> access.damage());
  }

  /**
   * In a copy or a bundle the slots below the newest one of each log that it does not hold: they
   * are no damage, and nothing is known of what stands there. None in a primary.
   */
  public List<SlotRange> notHeld() throws BackupException {
    return repository.stoppable("read logs", stop -> access.notHeld());
  }
}
