package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RunEntry;
import org.stellaops.backup.internal.repository.RunLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.RunRecord;
import org.stellaops.backup.model.RunRecord.State;
import org.stellaops.backup.model.Slot;
import org.stellaops.backup.plan.BackupRequest;

/**
 * The place of one run among the others of its plan.
 *
 * <p>The slots of the writer's log are the only fence. A run takes one to say that it begins; of
 * two that want to begin one is first, and the other one reads that when it signs again. A run that
 * is silent for longer than its lease is ended by an entry in the same log, which it meets before
 * it can commit. So nothing has to be unlocked, and a clock that is wrong costs a run at most.
 */
final class RunClaim {
  private static final Logger LOG = LoggerFactory.getLogger(RunClaim.class);
  private static final Duration FIRST_LOOK = Duration.ofMillis(50);
  private static final Duration LAST_LOOK = Duration.ofSeconds(2);

  private final Attempt attempt;

  RunClaim(Attempt attempt) {
    this.attempt = attempt;
  }

  /**
   * Takes its place; waits for that as long as the request says.
   *
   * @return the writer's log before it; empty if another run has answered for the slot, or is about
   *     to
   * @throws BackupException.Refused RUN_IN_PROGRESS or NAME_CONFLICT
   */
  Optional<LogView> take() throws IOException {
    long began = System.nanoTime();
    Duration look = FIRST_LOOK;
    while (true) {
      Claiming claiming = new Claiming();
      if (commit(claiming).isPresent()) {
        return Optional.ofNullable(claiming.before);
      }
      RunLog.Known other = claiming.other;
      if (other == null) {
        return Optional.empty();
      }
      if (isDead(other)) {
        abandon(other.record());
      } else if (System.nanoTime() - began < attempt.request().patience().toNanos()) {
        look = await(look);
      } else if (isOfSameSlot(other.record())) {
        return Optional.empty();
      } else {
        throw inProgress(other.record());
      }
    }
  }

  private Optional<Entry> commit(Repository.Drafting drafting) throws IOException {
    return attempt
        .repository()
        .commit(attempt.writer(), attempt.keys(), attempt.context().random(), drafting);
  }

  /** Reads the log, and drafts an entry unless something is in the way. */
  private final class Claiming implements Repository.Drafting {
    private @Nullable LogView before;
    private RunLog.@Nullable Known other;

    @Override
    public Optional<Entry.Draft> draft(LogView now) throws IOException {
      before = now;
      SnapshotCommit.freeName(attempt, now);
      RunLog runs = runs(now);
      List<RunLog.Known> claims =
          attempt.origin().slot().map(s -> runs.of(plan(), s)).orElse(List.of());
      other = inTheWay(runs, claims).orElse(null);
      return other != null || isAnswered(claims)
          ? Optional.empty()
          : Optional.of(entry(claims).draft());
    }
  }

  private RunLog runs(LogView now) {
    return RunLog.of(now, attempt.repository().isPinned());
  }

  private String plan() {
    return attempt.plan().name();
  }

  private Optional<RunLog.Known> inTheWay(RunLog runs, List<RunLog.Known> claims) {
    Optional<RunLog.Known> sameSlot = claims.stream().filter(r -> r.record().isOpen()).findFirst();
    return sameSlot.isPresent() || attempt.request().isBesideOthers()
        ? sameSlot
        : runs.open(plan()).stream().findFirst();
  }

  /** Whether nothing is left to be done for the slot: it succeeded, or failed often enough. */
  private boolean isAnswered(List<RunLog.Known> claims) {
    long failed = claims.stream().filter(r -> r.record().state() == State.FAILED).count();
    boolean isUsedUp =
        attempt.origin().retries().isEmpty() && failed >= attempt.plan().runs().retry().attempts();
    return isUsedUp || claims.stream().anyMatch(r -> r.record().state() == State.COMMITTED);
  }

  private RunEntry entry(List<RunLog.Known> claims) {
    RunOrigin origin = attempt.origin();
    if (origin.retries().isEmpty() && !claims.isEmpty()) {
      RunRecord last = claims.get(claims.size() - 1).record();
      origin = new RunOrigin(origin.slot(), Optional.of(last.run()), last.attempt() + 1);
    }
    BackupRequest request = attempt.request();
    return new RunEntry(
        attempt.run(),
        plan(),
        origin.slot(),
        attempt.instance().name(),
        origin.attempt(),
        origin.retries(),
        attempt.plan().runs().lease(),
        new RunEntry.Request(request.kind(), request.only(), request.name()));
  }

  private boolean isOfSameSlot(RunRecord other) {
    Optional<Slot> mine = attempt.origin().slot();
    return mine.isPresent() && other.slot().equals(mine);
  }

  private boolean isDead(RunLog.Known other) throws IOException {
    return attempt.instance().isLeftOver(other.record())
        || (!attempt.instance().running().contains(other.record().run())
            && attempt.instance().silence().isOver(other));
  }

  /** Unless it ended meanwhile. */
  private void abandon(RunRecord silent) throws IOException {
    Optional<Entry> ended =
        commit(
            now ->
                isOpen(now, silent.run())
                    ? Optional.of(RunEntry.abandon(silent.run(), attempt.run()))
                    : Optional.empty());
    if (ended.isPresent()) {
      LOG.warn(
          "run {} of {} counts as abandoned: {} is gone, or was silent for longer than {}",
          silent.run(),
          silent.plan(),
          silent.instance(),
          silent.lease());
    }
    attempt.instance().silence().forget(silent.run());
    forgetBeats(silent.run());
  }

  private boolean isOpen(LogView now, RunId run) {
    return runs(now).find(run).filter(r -> r.record().isOpen()).isPresent();
  }

  private void forgetBeats(RunId run) {
    try {
      for (ObjectName beat : attempt.store().beats(attempt.writer(), run)) {
        attempt.store().delete(beat);
      }
    } catch (IOException e) {
      LOG.debug("beats of run {} stay, and mean nothing", run, e);
    }
  }

  private Duration await(Duration look) throws IOException {
    attempt.stopping().sleep(look);
    Duration longer = look.multipliedBy(2);
    return longer.compareTo(LAST_LOOK) > 0 ? LAST_LOOK : longer;
  }

  private static BackupException inProgress(RunRecord other) {
    return new BackupException.Refused(
        CoreFailure.RUN_IN_PROGRESS,
        "run %s of plan %s, begun at %s by %s, has not ended; hint: orWait() waits for it, besideOthers() does not mind; if it is dead it ends %d s after its last sign of life"
            .formatted(
                other.run(),
                other.plan(),
                other.began(),
                other.instance(),
                other.lease().toSeconds()));
  }

  /** Begins to show that it lives. */
  Heartbeat beating() {
    return Heartbeat.of(
        attempt.store(), attempt.writer(), attempt.run(), attempt.plan().runs().lease());
  }

  /** Says that there will be no snapshot, unless somebody said how it ended already. */
  void failed(Throwable why) {
    String code =
        why instanceof BackupException known ? known.code().code() : CoreFailure.INTERNAL.code();
    boolean wasInterrupted = Thread.interrupted();
    try {
      commit(
          now ->
              isOpen(now, attempt.run())
                  ? Optional.of(RunEntry.failed(attempt.run(), code))
                  : Optional.empty());
    } catch (IOException | RuntimeException e) {
      why.addSuppressed(e);
    } finally {
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
