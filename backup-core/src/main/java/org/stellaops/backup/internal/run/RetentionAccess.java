package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RetentionEntry;
import org.stellaops.backup.internal.repository.RetentionEntry.EntryRef;
import org.stellaops.backup.internal.repository.RetentionEntry.Released;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.RecallReport;
import org.stellaops.backup.model.RecoveryWindow;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.retention.History;
import org.stellaops.backup.retention.Hold;
import org.stellaops.backup.retention.PrunePreview;
import org.stellaops.backup.retention.PruneRequest;
import org.stellaops.backup.retention.RetentionRules;
import org.stellaops.backup.retention.Unreadable;
import org.stellaops.backup.spi.WriterKeys;

/** Lets go of snapshots, takes that back, and removes what nobody needs. From any thread. */
public final class RetentionAccess {
  private static final Duration OLDEST_PREVIEW = Duration.ofDays(1);

  private final Context context;
  private final Repository repository;
  private final WriterKeys keys;
  private final RetentionRules rules;
  private final PruneSettings settings;

  /**
   * Everything stays the caller's.
   *
   * @param keys of who may delete
   */
  public RetentionAccess(
      Context context,
      Repository repository,
      WriterKeys keys,
      RetentionRules rules,
      PruneSettings settings) {
    this.context = context;
    this.repository = repository;
    this.keys = keys;
    this.rules = rules;
    this.settings = settings;
  }

  /** What a prune would let go now. Stores nothing. */
  public PrunePreview plan(PruneRequest request) throws IOException {
    return decide(SnapshotList.read(repository), request, context.clock().instant());
  }

  private PrunePreview decide(SnapshotList list, PruneRequest request, Instant asOf)
      throws IOException {
    Instant now = context.clock().instant();
    Clocks clocks = new Clocks(repository, now);
    History history =
        new History(
            list.all().stream().map(SnapshotList.Known::summary).toList(),
            holds(list, asOf),
            unreadable(list.logs()),
            clocks.retimed(list),
            asOf,
            Optional.empty(),
            repository.isPinned(),
            now);
    return request.decide(history, rules).blockedBy(clocks.ofWriters(list.logs()));
  }

  private List<Hold> holds(SnapshotList list, Instant asOf) throws IOException {
    List<Hold> holds = new ArrayList<>();
    for (RetentionEntry.Hold hold : repository.retention().holds(asOf)) {
      find(list, k -> ref(k).equals(hold.snapshot()))
          .ifPresent(
              k ->
                  holds.add(new Hold(k.summary().id(), hold.reason(), hold.until(), hold.actor())));
    }
    return holds;
  }

  /** Entries of writers that cannot be read: any of them may be a snapshot. */
  private static List<Unreadable> unreadable(List<LogView> logs) {
    List<Unreadable> unreadable = new ArrayList<>();
    for (LogView log : logs) {
      if (Names.isWriter(log.log())) {
        for (Finding finding : log.damage()) {
          long place = Names.slot(finding.subject()).orElse(Long.MAX_VALUE);
          unreadable.add(new Unreadable(log.log(), place, finding.found()));
        }
      }
    }
    return unreadable;
  }

  private static Optional<SnapshotList.Known> find(
      SnapshotList list, Predicate<SnapshotList.Known> wanted) {
    List<SnapshotList.Known> all = new ArrayList<>(list.believed());
    all.addAll(list.retired());
    return all.stream().filter(wanted).findFirst();
  }

  private static EntryRef ref(SnapshotList.Known known) {
    SnapshotSummary summary = known.summary();
    return new EntryRef(summary.writer(), summary.sequence(), summary.entry());
  }

  /** Lets go of exactly what was shown, and removes what may be removed. */
  public PruneReport prune(PrunePreview preview, Confirmation consent, StopSignal stopping)
      throws IOException {
    return prune(preview, consent, stopping, "");
  }

  /**
   * The same.
   *
   * @param note is recorded behind each reason
   */
  PruneReport prune(PrunePreview preview, Confirmation consent, StopSignal stopping, String note)
      throws IOException {
    if (!consent.of().equals(preview.digest())) {
      throw stale("consent is to %s, the preview is %s".formatted(consent.of(), preview.digest()));
    }
    Instant now = context.clock().instant();
    if (preview.asOf().isAfter(now) || preview.asOf().plus(OLDEST_PREVIEW).isBefore(now)) {
      throw stale("the preview is of %s, now it is %s".formatted(preview.asOf(), now));
    }
    // Nothing is let go on the word of the workspace.
    Repository read = repository.afresh();
    RetentionWriter retention = new RetentionWriter(context, read, keys);
    SnapshotList list = SnapshotList.read(read);
    PrunePreview current = decide(list, preview.request(), preview.asOf());
    if (!current.digest().equals(preview.digest())) {
      throw stale("something changed since the prune was planned");
    }
    current.requirePossible();
    requireClock(now);
    List<PruneReport.Retired> retired = retire(list, current, retention, note);
    return looked(run(read, retention, stopping).execute(retired));
  }

  /**
   * With what is in reach now: everybody is told, and what is too short is a problem. So is that it
   * cannot be read: what was removed is removed, and has to be reported.
   */
  private PruneReport looked(PruneReport report) {
    List<RecoveryWindow> windows;
    try {
      windows = windows();
    } catch (IOException e) {
      return report.noticing(PruneRun.problemOf("recovery windows", e));
    }
    for (RecoveryWindow window : windows) {
      context.listeners().tell(l -> l.recoveryWindow(window));
    }
    return report.leaving(windows);
  }

  /** How far back each source can be taken, beside how far the rules say. */
  public List<RecoveryWindow> windows() throws IOException {
    return RecoveryWindows.now(repository, rules, context.clock().instant());
  }

  /** Moves to archives what it lets go of. */
  public ArchiveRun archiving(StopSignal stopping) {
    return new ArchiveRun(context, repository, this, stopping);
  }

  private static BackupException.Refused stale(String why) {
    return new BackupException.Refused(CoreFailure.PLAN_STALE, why);
  }

  private void requireClock(Instant now) throws IOException {
    Optional<Finding> finding = new Clocks(repository, now).ofStore(Ulid.at(now, context.random()));
    if (finding.isPresent()) {
      throw new BackupException.Refused(
          CoreFailure.CLOCK_UNSOUND, finding.get().found(), List.of(finding.get()));
    }
  }

  private PruneRun run(Repository read, RetentionWriter retention, StopSignal stopping) {
    return new PruneRun(context, read, retention, settings, stopping);
  }

  /** Lets go of nothing more, and removes what may be removed. */
  public PruneReport cleanUp(StopSignal stopping) throws IOException {
    Repository read = repository.afresh();
    RetentionWriter retention = new RetentionWriter(context, read, keys);
    SnapshotList list = SnapshotList.read(read);
    List<Finding> clocks = new Clocks(repository, context.clock().instant()).ofWriters(list.logs());
    if (!clocks.isEmpty()) {
      throw new BackupException.Refused(CoreFailure.CLOCK_UNSOUND, "clean up: " + clocks, clocks);
    }
    requireClock(context.clock().instant());
    return looked(run(read, retention, stopping).execute(List.of()));
  }

  private List<PruneReport.Retired> retire(
      SnapshotList list, PrunePreview preview, RetentionWriter retention, String note)
      throws IOException {
    Map<SnapshotId, SnapshotList.Known> known = new HashMap<>();
    list.all().forEach(k -> known.put(k.summary().id(), k));
    Map<SnapshotId, Map<String, SortedSet<SourceName>>> released = new LinkedHashMap<>();
    List<PruneReport.Retired> retired = new ArrayList<>();
    for (PrunePreview.Row row : preview.rows()) {
      if (!row.isKept()) {
        String reason = String.join("; ", row.reasons()) + note;
        released
            .computeIfAbsent(row.snapshot(), s -> new LinkedHashMap<>())
            .computeIfAbsent(reason, r -> new TreeSet<>())
            .add(row.source());
        retired.add(new PruneReport.Retired(row.snapshot(), row.source(), reason));
      }
    }
    List<Released> items = new ArrayList<>();
    for (Map.Entry<SnapshotId, Map<String, SortedSet<SourceName>>> one : released.entrySet()) {
      SnapshotList.Known snapshot = known.get(one.getKey());
      if (snapshot == null) {
        throw stale("there is no snapshot " + one.getKey());
      }
      one.getValue().forEach((reason, sources) -> items.add(released(snapshot, sources, reason)));
    }
    commit(items, retention);
    return retired;
  }

  private static Released released(
      SnapshotList.Known snapshot, SortedSet<SourceName> sources, String reason) {
    boolean isAll = sources.size() == snapshot.entry().parts().size();
    return new Released(ref(snapshot), isAll ? new TreeSet<>() : sources, reason);
  }

  private static void commit(List<Released> items, RetentionWriter retention) throws IOException {
    for (RetentionEntry.Retire some : RetentionEntry.Retire.of(items)) {
      retention.commit(some);
    }
  }

  /** Holds a snapshot; until further notice where no end is given. */
  public void hold(SnapshotRef ref, String reason, Optional<Instant> until, String actor)
      throws IOException {
    requireActor(reason, actor);
    // First the head, then what is there: what another one lets go between the two makes it stale.
    RetentionWriter retention = new RetentionWriter(context, repository, keys);
    SnapshotList.Known snapshot = SnapshotList.read(repository).require(ref);
    retention.commit(new RetentionEntry.Hold(ref(snapshot), until, reason, actor));
  }

  /** Ends a hold. */
  public void release(SnapshotRef ref, String reason, String actor) throws IOException {
    requireActor(reason, actor);
    RetentionWriter retention = new RetentionWriter(context, repository, keys);
    SnapshotList.Known snapshot = SnapshotList.read(repository).require(ref);
    boolean isHeld =
        repository.retention().holds(Instant.MIN).stream()
            .anyMatch(h -> h.snapshot().equals(ref(snapshot)));
    if (!isHeld) {
      throw new BackupException.Refused(
          CoreFailure.NOT_FOUND, "nobody holds snapshot " + snapshot.summary().name());
    }
    retention.commit(new RetentionEntry.Release(ref(snapshot), reason, actor));
  }

  private static void requireActor(String reason, String actor) {
    if (reason.isBlank() || actor.isBlank()) {
      throw new IllegalArgumentException("say who wants that, and why");
    }
  }

  /**
   * What taking back that a snapshot was let go would bring back. Stores nothing.
   *
   * @throws BackupException.Refused RETIRED if it is too late; NOT_FOUND if it was not let go
   */
  public RecallReport planRecall(SnapshotId id) throws IOException {
    return new RecallRun(context, repository, keys).plan(id);
  }

  /**
   * Takes back that a snapshot was let go, as long as nothing of it is swept.
   *
   * @throws BackupException.Refused RETIRED if it is too late; NOT_FOUND if it was not let go
   */
  public RecallReport recall(SnapshotId id, String reason, String actor) throws IOException {
    requireActor(reason, actor);
    return new RecallRun(context, repository, keys).execute(id, reason, actor);
  }

  /**
   * Says in log {@code admin} that the times of a log are accepted as they are, up to its newest
   * entry.
   *
   * @throws BackupException.Refused UNTRUSTED_WRITER if the key is not pinned for that log
   */
  public void retime(String log, String reason, String actor) throws IOException {
    requireActor(reason, actor);
    if (!repository.isPinned(Names.ADMIN, keys.id().publicKey())) {
      throw new BackupException.Refused(
          CoreFailure.UNTRUSTED_WRITER,
          "the key of %s is not pinned for log admin".formatted(keys.id().name()));
    }
    LogView view = repository.log(log);
    LogView.Head head =
        view.head()
            .orElseThrow(() -> new BackupException.Refused(CoreFailure.NOT_FOUND, "no log " + log));
    repository.commit(
        Names.ADMIN,
        keys,
        context.random(),
        now ->
            Optional.of(
                new Entry.Draft(Clocks.RETIME)
                    .field(
                        Clocks.RETIME, new EntryRef(log, head.sequence(), head.digest()).toString())
                    .field("reason", RetentionEntry.line(reason))
                    .field("actor", RetentionEntry.line(actor))));
  }
}
