package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.SinkMarker;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.run.SnapshotClosure.Item;
import org.stellaops.backup.internal.run.SnapshotClosure.Kind;
import org.stellaops.backup.internal.run.SnapshotClosure.Piece;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CopyReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.plan.CopyPlan;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreContext;

/**
 * Copies snapshots to another store: what is missing there, each snapshot's entry when everything
 * else of it is there. One thread.
 */
public final class CopyRun {
  /** A prune may remove what a copy was about to read, and says so; then it is read again. */
  private static final int ATTEMPTS = 3;

  private final Context context;
  private final Repository repository;
  private final StoreRole role;
  private final StopSignal stopping;
  private final ProgressMeter progress;

  /** Everything stays the caller's. */
  public CopyRun(Context context, Repository repository, StoreRole role, StopSignal stopping) {
    this.context = context;
    this.repository = repository;
    this.role = role;
    this.stopping = stopping;
    this.progress =
        new ProgressMeter(BackupRun.newRun(context), context.clock(), context.listeners());
  }

  /** What is copied, as the logs are now. */
  private record Subject(Repository repository, SnapshotClosure closure) {}

  private Subject subject(CopyRequest request) throws IOException {
    Repository now = repository.afresh();
    SnapshotList list = SnapshotList.read(now);
    return new Subject(now, SnapshotClosure.of(now, list, chosen(list, request), role));
  }

  private Collection<SnapshotList.Known> chosen(SnapshotList list, CopyRequest request)
      throws IOException {
    Set<SnapshotList.Known> chosen = new LinkedHashSet<>();
    for (SnapshotRef ref : request.named()) {
      chosen.add(list.require(ref));
    }
    if (request.named().isEmpty()) {
      list.matching(request.filter(), context.clock().instant()).stream()
          .filter(k -> !repository.isPinned() || k.summary().isAuthenticated())
          .forEach(chosen::add);
    }
    return chosen;
  }

  private ObjectCopy copyTo(Subject subject, CopyRequest request, StoreAccess target) {
    return new ObjectCopy(subject.repository(), target, stopping, request.isEverythingCompared());
  }

  /** What there is to do; changes nothing. */
  public CopyPlan plan(CopyRequest request) throws IOException {
    try (ObjectStore store = open(request)) {
      Subject subject = subject(request);
      ObjectCopy copy = copyTo(subject, request, new StoreAccess(store));
      copy.requireTarget(role);
      takeInventory(copy, subject.closure());
      Work work = work(subject.closure(), copy);
      return new CopyPlan(
          request.target().describe(),
          subject.closure().pieces().stream().map(p -> p.snapshot().summary()).toList(),
          work.there,
          work.missing,
          work.missingBytes,
          work.conflicts);
    }
  }

  private static void takeInventory(ObjectCopy copy, SnapshotClosure closure) throws IOException {
    copy.takeInventory();
    Set<SnapshotId> there = new HashSet<>();
    for (Piece piece : closure.pieces()) {
      if (copy.isThere(closure.entryOf(piece))) {
        there.add(piece.id());
      }
    }
    closure.without(piece -> there.contains(piece.id()));
  }

  private ObjectStore open(CopyRequest request) throws IOException {
    return request.target().open(new StoreContext(context.clock(), stopping));
  }

  /** How much there is to do. */
  private static final class Work {
    private long there;
    private long missing;
    private long missingBytes;
    private final List<ObjectName> conflicts = new ArrayList<>();
  }

  /** A list that is damaged names nothing here, and is told when its snapshot is copied. */
  private Work work(SnapshotClosure closure, ObjectCopy copy) throws IOException {
    Work work = new Work();
    closure.forEachReadable(
        item -> {
          stopping.check();
          if (copy.isThere(item)) {
            work.there++;
          } else if (!copy.isInTheWay(item)) {
            work.missing++;
            work.missingBytes += item.lengthBytes();
          } else if (work.conflicts.size() < CopyPlan.MOST_NAMED) {
            work.conflicts.add(item.name());
          }
        });
    return work;
  }

  /** Copies. Damage here is in the report; what is wrong with the target is an exception. */
  public CopyReport copy(CopyRequest request) throws IOException {
    try (ObjectStore store = open(request)) {
      StoreAccess target = new StoreAccess(store);
      for (int attempt = 1; ; attempt++) {
        Subject subject = subject(request);
        CopyReport report = copy(subject, request, target);
        if (attempt == ATTEMPTS || !isOvertaken(report, subject)) {
          return report;
        }
      }
    }
  }

  /** Whether something is missing since it was removed for good reason meanwhile. */
  private boolean isOvertaken(CopyReport report, Subject subject) throws IOException {
    return report.findings().stream().anyMatch(f -> f.code() == CoreFailure.OBJECT_NOT_FOUND)
        && !repository.retention().head().equals(subject.closure().retention().head());
  }

  private CopyReport copy(Subject subject, CopyRequest request, StoreAccess target)
      throws IOException {
    ObjectCopy copy = copyTo(subject, request, target);
    copy.begin(role, request.label());
    takeInventory(copy, subject.closure());
    Work work = work(subject.closure(), copy);
    if (!work.conflicts.isEmpty()) {
      throw new BackupException.Refused(
          CoreFailure.COPY_CONFLICT,
          "%s holds objects of another size than here, nothing was copied: %s"
              .formatted(request.target().describe(), work.conflicts));
    }
    progress.begin("copy", work.missingBytes);
    Sending sending = new Sending(copy);
    sending.shared(subject.closure());
    sending.streams(subject.closure());
    // What is listed there vouches for its objects; what else is there an interrupted copy left.
    for (boolean isListed : List.of(true, false)) {
      for (Piece piece : subject.closure().pieces()) {
        if (copy.isThere(subject.closure().entryOf(piece)) == isListed && !sending.isTaken(piece)) {
          sending.piece(subject.closure(), piece, isListed);
        }
      }
    }
    progress.end();
    long removed = removed(subject, request, target);
    ObjectCopy.Tally tally = copy.tally();
    return new CopyReport(
        repository.id(),
        request.target().describe(),
        SinkMarker.of(target).map(SinkMarker::label).orElse(""),
        sending.whole,
        sending.incomplete,
        tally.there(),
        tally.sent(),
        tally.byStore(),
        tally.sentBytes(),
        tally.compared(),
        removed,
        List.copyOf(sending.findings));
  }

  /** Nobody is believed to have let go of anything who is not pinned for it. */
  private long removed(Subject subject, CopyRequest request, StoreAccess target)
      throws IOException {
    boolean isFollowing =
        request.isFollowingDeletions() && role == StoreRole.COPY && repository.isPinned();
    return isFollowing
        ? new FollowedDeletions(
                subject.repository(), subject.closure().retention(), target, stopping)
            .follow()
        : 0;
  }

  /** Sends objects in groups, each of which ends with the entry that names the others. */
  private final class Sending implements SnapshotClosure.Taking {
    private final ObjectCopy copy;
    private final Set<Finding> findings = new LinkedHashSet<>();
    private final List<SnapshotId> whole = new ArrayList<>();
    private final List<SnapshotId> incomplete = new ArrayList<>();
    private final Set<SnapshotId> missing = new HashSet<>();
    private final Set<ObjectName> damaged = new HashSet<>();
    private final DigestSet done = new DigestSet();
    private boolean isGroupDamaged;
    private boolean isListed;

    Sending(ObjectCopy copy) {
      this.copy = copy;
    }

    /** An entry of which something is missing stays here; so does what it alone would name. */
    @Override
    public void take(Item item) throws IOException {
      if (item.kind() == Kind.ENTRY && isGroupDamaged) {
        return;
      }
      if (damaged.contains(item.name())) {
        isGroupDamaged = true;
        return;
      }
      if (!done.add(SnapshotClosure.digestOf(item.name()))) {
        return;
      }
      long before = copy.tally().sentBytes();
      long objects = copy.tally().sent();
      Optional<Finding> finding = copy.copy(item, isListed);
      progress.add(copy.tally().sentBytes() - before, copy.tally().sent() - objects);
      if (finding.isPresent()) {
        findings.add(finding.get());
        damaged.add(item.name());
        isGroupDamaged = true;
      }
    }

    /**
     * Keys and lists that are damaged here keep no entry back: it says so there as it does here.
     */
    void shared(SnapshotClosure closure) throws IOException {
      isListed = true;
      closure.shared(
          item -> {
            isGroupDamaged = false;
            take(item);
          });
    }

    void streams(SnapshotClosure closure) throws IOException {
      List<Item> group = new ArrayList<>();
      closure.streams(
          item -> {
            group.add(item);
            if (item.kind() == Kind.ENTRY) {
              isGroupDamaged = false;
              isListed = copy.isThere(item);
              for (Item one : group) {
                take(one);
              }
              group.clear();
            }
          });
    }

    boolean isTaken(Piece piece) {
      return whole.contains(piece.id()) || missing.contains(piece.id());
    }

    void piece(SnapshotClosure closure, Piece piece, boolean isListedThere) throws IOException {
      isListed = isListedThere;
      isGroupDamaged = piece.parents().stream().anyMatch(missing::contains);
      try {
        closure.of(piece, this);
      } catch (BackupException.Corrupt e) {
        // A list of it cannot be read here.
        findings.add(new Finding(e.code(), piece.snapshot().summary().name().value(), e.detail()));
        isGroupDamaged = true;
      }
      if (isGroupDamaged) {
        missing.add(piece.id());
        incomplete.add(piece.id());
      } else {
        whole.add(piece.id());
      }
    }
  }
}
