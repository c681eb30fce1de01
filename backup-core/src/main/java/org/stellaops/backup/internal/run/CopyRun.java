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
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.run.SnapshotClosure.Item;
import org.stellaops.backup.internal.run.SnapshotClosure.Kind;
import org.stellaops.backup.internal.run.SnapshotClosure.Piece;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
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
 * Copies snapshots to another store: what is missing there, several objects at a time, and each
 * snapshot's entry when everything else of it is there. Called by one thread.
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

  /** Asks the target for what it has; what is sent depends on that. */
  private Subject subject(
      Repository now, SnapshotList list, Collection<SnapshotList.Known> chosen, ObjectCopy copy)
      throws IOException {
    copy.takeInventory();
    Set<SnapshotList.Known> wanted = new LinkedHashSet<>(chosen);
    List<SentRetention.Recall> recalls =
        role == StoreRole.COPY ? SentRetention.recalls(list, copy::hadName) : List.of();
    recalls.forEach(r -> wanted.addAll(r.revived()));
    SnapshotClosure closure = SnapshotClosure.of(now, list, wanted, role);
    closure.recallingLast(recalls);
    Set<SnapshotId> there = new HashSet<>();
    for (Piece piece : closure.pieces()) {
      if (copy.isThere(closure.entryOf(piece))) {
        there.add(piece.id());
      }
    }
    closure.without(piece -> there.contains(piece.id()), copy::hadName);
    if (role == StoreRole.COPY) {
      List<SnapshotList.Known> listed = new ArrayList<>();
      for (SnapshotList.Known one : list.believed()) {
        if (copy.hadName(StoreAccess.entry(one.log().log(), one.summary().sequence()))) {
          listed.add(one);
        }
      }
      closure.leadingFrom(listed);
    }
    return new Subject(now, closure);
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

  /** What there is to do; changes nothing. */
  public CopyPlan plan(CopyRequest request) throws IOException {
    try (ObjectStore store = open(request)) {
      Repository now = repository.afresh();
      SnapshotList list = SnapshotList.read(now);
      Collection<SnapshotList.Known> chosen = chosen(list, request);
      try (ObjectCopy copy =
          new ObjectCopy(now, new StoreAccess(store), stopping, request.isEverythingCompared())) {
        copy.requireTarget(role);
        Subject subject = subject(now, list, chosen, copy);
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
    try (ObjectStore store = open(request);
        ObjectCopy.Tally tally = new ObjectCopy.Tally(repository.scratch())) {
      StoreAccess target = new StoreAccess(store);
      for (int attempt = 1; ; attempt++) {
        Repository now = repository.afresh();
        SnapshotList list = SnapshotList.read(now);
        Collection<SnapshotList.Known> chosen = chosen(list, request);
        try (ObjectCopy copy =
            new ObjectCopy(now, target, stopping, request.isEverythingCompared(), tally)) {
          String label = copy.begin(role, request.label());
          Subject subject = subject(now, list, chosen, copy);
          CopyReport report = copy(subject, copy, label, request, target);
          if (attempt == ATTEMPTS || !isOvertaken(report, subject)) {
            return report;
          }
        }
      }
    }
  }

  /** Whether something is missing since it was removed for good reason meanwhile. */
  private boolean isOvertaken(CopyReport report, Subject subject) throws IOException {
    return report.findings().stream().anyMatch(f -> f.code() == CoreFailure.OBJECT_NOT_FOUND)
        && !repository.retention().head().equals(subject.closure().retention().head());
  }

  private CopyReport copy(
      Subject subject, ObjectCopy copy, String label, CopyRequest request, StoreAccess target)
      throws IOException {
    Work work = work(subject.closure(), copy);
    if (!work.conflicts.isEmpty()) {
      throw new BackupException.Refused(
          CoreFailure.COPY_CONFLICT,
          "%s holds objects of another size than here, nothing was copied: %s"
              .formatted(request.target().describe(), work.conflicts));
    }
    copy.requireSameLogs(subject.closure());
    progress.begin("copy", work.missingBytes);
    long sentBefore = copy.tally().sentBytes();
    Sending sending;
    try (SeveralAtOnce several =
        new SeveralAtOnce(context.threads().waiting(), request.objectsAtOnce(), stopping)) {
      sending = new Sending(copy, several, work.missingBytes);
      sendAll(subject.closure(), copy, sending);
      several.await();
    } catch (BackupException.Sink e) {
      throw e.reason() == Reason.NO_SPACE
          ? full(e, work, copy.tally().sentBytes() - sentBefore)
          : e;
    }
    progress.end();
    // What is not there whole may be all that is left of what was merged or swept here.
    boolean isComplete = sending.incomplete.isEmpty() && sending.findings.isEmpty();
    long removed = isComplete ? removed(subject, copy, request, target) : 0;
    ObjectCopy.Tally tally = copy.tally();
    return new CopyReport(
        repository.id(),
        request.target().describe(),
        label,
        sending.whole,
        sending.incomplete,
        tally.there(),
        tally.sent(),
        tally.byStore(),
        tally.sentBytes(),
        tally.compared(),
        tally.stated(),
        removed,
        List.copyOf(sending.findings));
  }

  private static BackupException.Sink full(BackupException.Sink e, Work work, long sentBytes) {
    return new BackupException.Sink(
        e.code(),
        e.reason(),
        "%s; %d of %d bytes are still to be sent, the next copy goes on from here"
            .formatted(e.detail(), work.missingBytes - sentBytes, work.missingBytes),
        e);
  }

  /** What is listed there vouches for its objects; what else is there an interrupted copy left. */
  private static void sendAll(SnapshotClosure closure, ObjectCopy copy, Sending sending)
      throws IOException {
    sending.shared(closure);
    sending.streams(closure);
    Set<SnapshotId> revived = new HashSet<>();
    closure.recalls().forEach(r -> revived.addAll(r.snapshots()));
    for (boolean isListed : List.of(true, false)) {
      for (Piece piece : closure.pieces()) {
        boolean isWhole = copy.isThere(closure.entryOf(piece)) && !revived.contains(piece.id());
        if (isWhole == isListed && !sending.isTaken(piece)) {
          sending.piece(closure, piece, isListed);
        }
      }
    }
    sending.recalls(closure);
  }

  /** Nobody is believed to have let go of anything who is not pinned for it. */
  private long removed(Subject subject, ObjectCopy copy, CopyRequest request, StoreAccess target)
      throws IOException {
    boolean isFollowing =
        request.isFollowingDeletions() && role == StoreRole.COPY && repository.isPinned();
    if (isFollowing) {
      copy.requireTarget(role);
    }
    return isFollowing
        ? new FollowedDeletions(
                subject.repository(), subject.closure().retention(), target, stopping)
            .follow()
        : 0;
  }

  /** Objects that are sent before the entry that names them. */
  private static final class Group {
    private boolean isDamaged;
  }

  /**
   * Sends objects in groups, each of which ends with the entry that names the others: groups
   * overlap, and entries are sent one behind the other, each when all before it is there.
   */
  private final class Sending implements SnapshotClosure.Taking {
    private final ObjectCopy copy;
    private final SeveralAtOnce several;
    private final long expectedBytes;
    private final Set<Finding> findings = new LinkedHashSet<>();
    private final List<SnapshotId> whole = new ArrayList<>();
    private final List<SnapshotId> incomplete = new ArrayList<>();
    private final Set<SnapshotId> taken = new HashSet<>();
    private final Set<SnapshotId> missing = new HashSet<>();
    private final Set<ObjectName> damaged = new HashSet<>();
    private final DigestSet done = new DigestSet(repository.scratch());
    private Group group = new Group();
    private boolean isListed;

    Sending(ObjectCopy copy, SeveralAtOnce several, long expectedBytes) {
      this.copy = copy;
      this.several = several;
      this.expectedBytes = expectedBytes;
    }

    @Override
    public void take(Item item) throws IOException {
      Group of = group;
      boolean isVouched = isListed;
      boolean isNew = done.add(SnapshotClosure.digestOf(item.name()));
      if (item.kind() == Kind.ENTRY && isNew) {
        several.then(() -> entry(item, of, isVouched));
      } else if (!isNew || copy.isQuick(item, isVouched)) {
        if (isNew) {
          copy.copy(item, isVouched);
        }
        several.then(() -> of.isDamaged |= damaged.contains(item.name()));
      } else {
        several.add(() -> copy.copy(item, isVouched), finding -> took(item, of, finding));
      }
    }

    /** An entry of which something is missing stays here; so does what it alone would name. */
    private void entry(Item item, Group of, boolean isVouched) throws IOException {
      if (!of.isDamaged && !damaged.contains(item.name())) {
        took(item, of, copy.copy(item, isVouched));
      }
    }

    private void took(Item item, Group of, Optional<Finding> finding) {
      progress.at(copy.tally().sentBytes(), copy.tally().sent(), expectedBytes);
      if (finding.isPresent()) {
        findings.add(finding.get());
        damaged.add(item.name());
        of.isDamaged = true;
      }
    }

    /**
     * Keys and lists that are damaged here keep no entry back: it says so there as it does here.
     */
    void shared(SnapshotClosure closure) throws IOException {
      closure.shared(
          SnapshotClosure.inGroups(
              items -> {
                isListed = copy.isThere(items.get(items.size() - 1));
                for (Item one : items) {
                  group = new Group();
                  take(one);
                }
              }));
    }

    void streams(SnapshotClosure closure) throws IOException {
      closure.streams(
          SnapshotClosure.inGroups(
              items -> {
                group = new Group();
                isListed = copy.isThere(items.get(items.size() - 1));
                for (Item one : items) {
                  take(one);
                }
              }));
    }

    /** What lists a snapshot again goes behind all of it. */
    void recalls(SnapshotClosure closure) throws IOException {
      for (SentRetention.Recall recall : closure.recalls()) {
        Group of = new Group();
        group = of;
        several.then(
            () ->
                of.isDamaged =
                    recall.isUnknown() || recall.snapshots().stream().anyMatch(missing::contains));
        take(closure.entryOf(recall.entry()));
      }
    }

    boolean isTaken(Piece piece) {
      return taken.contains(piece.id());
    }

    private void took(SnapshotId piece, Group of) {
      if (of.isDamaged) {
        missing.add(piece);
        incomplete.add(piece);
      } else {
        whole.add(piece);
      }
    }

    void piece(SnapshotClosure closure, Piece piece, boolean isListedThere) throws IOException {
      Group of = new Group();
      group = of;
      isListed = isListedThere;
      taken.add(piece.id());
      several.then(() -> of.isDamaged = piece.parents().stream().anyMatch(missing::contains));
      try {
        closure.of(piece, this);
      } catch (BackupException.Corrupt e) {
        if (several.isOwn(e)) {
          throw e;
        }
        // A list of it cannot be read here.
        String name = piece.snapshot().summary().name().value();
        several.then(
            () -> {
              findings.add(new Finding(e.code(), name, e.detail()));
              of.isDamaged = true;
            });
      }
      several.then(() -> took(piece.id(), of));
    }
  }
}
