package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.model.ArchiveReport;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CopyReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.plan.ArchivePlan;
import org.stellaops.backup.plan.ArchiveRequest;
import org.stellaops.backup.plan.CopyPlan;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.retention.PrunePreview;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreContext;

/**
 * Moves snapshots to an archive: copies them, reads every object there, and only then lets go of
 * them here, as retention always does. Whenever it ends, each is whole in one place at least. One
 * thread.
 */
public final class ArchiveRun {
  private final Context context;
  private final Repository repository;
  private final RetentionAccess retention;
  private final StopSignal stopping;

  /** Everything stays the caller's. */
  public ArchiveRun(
      Context context, Repository repository, RetentionAccess retention, StopSignal stopping) {
    this.context = context;
    this.repository = repository;
    this.retention = retention;
    this.stopping = stopping;
  }

  /** What there is to do; changes nothing. */
  public ArchivePlan plan(ArchiveRequest request) throws IOException {
    PrunePreview drop = retention.plan(request.what());
    Set<SnapshotId> moved = moved(drop);
    CopyPlan copy =
        moved.isEmpty()
            ? new CopyPlan(request.archive().describe(), List.of(), 0, 0, 0, List.of())
            : copying().plan(copy(request, moved));
    return new ArchivePlan(request, drop, copy);
  }

  private CopyRun copying() {
    return new CopyRun(context, repository, StoreRole.ARCHIVE, stopping);
  }

  private static Set<SnapshotId> moved(PrunePreview drop) {
    return drop.released().stream()
        .map(PrunePreview.Row::snapshot)
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** What is there already is read, too: nothing is let go of on the word of a listing. */
  private static CopyRequest copy(ArchiveRequest request, Set<SnapshotId> moved) {
    return CopyRequest.to(request.archive())
        .labelled(request.label())
        .only(moved.toArray(new SnapshotRef[0]))
        .comparingEverything();
  }

  /** Moves exactly what was shown. */
  public ArchiveReport archive(ArchivePlan plan, Confirmation consent) throws IOException {
    if (!consent.of().equals(plan.digest())) {
      throw new BackupException.Refused(
          CoreFailure.PLAN_STALE,
          "consent is to %s, the plan is %s".formatted(consent.of(), plan.digest()));
    }
    plan.drop().requirePossible();
    Set<SnapshotId> moved = moved(plan.drop());
    if (moved.isEmpty()) {
      throw new BackupException.Refused(
          CoreFailure.NOT_FOUND, "there is nothing to archive: everything has to stay");
    }
    CopyReport copied = copying().copy(copy(plan.request(), moved)).requireComplete();
    context.listeners().tell(l -> l.copied(copied));
    requireListed(plan.request(), plan.drop().released());
    PruneReport dropped =
        retention.prune(
            plan.drop(),
            Confirmation.of(plan.drop().digest()),
            stopping,
            "; archived in " + (copied.label().isEmpty() ? copied.target() : copied.label()));
    return new ArchiveReport(copied, dropped);
  }

  /** A source of a snapshot. */
  private record Moved(SnapshotId snapshot, SourceName source) {
    @Override
    public String toString() {
      return source + " of " + snapshot;
    }
  }

  /** What the archive says by itself, to somebody who knows nothing else. */
  private void requireListed(ArchiveRequest request, List<PrunePreview.Row> released)
      throws IOException {
    try (ObjectStore store = request.archive().open(new StoreContext(context.clock(), stopping))) {
      Optional<Repository> archive = repository.elsewhere(new StoreAccess(store));
      Set<Moved> missing = new LinkedHashSet<>();
      released.forEach(row -> missing.add(new Moved(row.snapshot(), row.source())));
      if (archive.isPresent()) {
        for (SnapshotList.Known known : SnapshotList.read(archive.get()).believed()) {
          // Only what the archive was not told to let go of.
          known
              .summary()
              .captures()
              .forEach(c -> missing.remove(new Moved(known.summary().id(), c.source())));
        }
      }
      if (!missing.isEmpty()) {
        throw new BackupException.Corrupt(
            CoreFailure.COPY_INCOMPLETE,
            "%s does not list %s; nothing was let go of"
                .formatted(request.archive().describe(), missing));
      }
    }
  }
}
