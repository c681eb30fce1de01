package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.disk.ScratchFile;
import org.stellaops.backup.internal.pipeline.PackPipeline;
import org.stellaops.backup.internal.pipeline.PackShelf;
import org.stellaops.backup.internal.repository.ChunkIndex;
import org.stellaops.backup.internal.repository.Epoch;
import org.stellaops.backup.internal.repository.Epochs;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RunLog;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StateRef;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.RunRecord;
import org.stellaops.backup.model.SnapshotName;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.PlannedSource;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.WriterKeys;

/**
 * One backup: check, capture every source, store what it takes, commit one signed entry. Until the
 * entry is in its slot there is no snapshot, and nothing that was stored is anything but
 * unreferenced.
 */
public final class BackupRun {
  private static final Logger LOG = LoggerFactory.getLogger(BackupRun.class);

  /** As often as retention may doom what a run is about to name. */
  private static final int MOST_CAPTURES = 3;

  private final Attempt attempt;
  private RunFindings findings;
  private final ProgressMeter progress;

  /** Everything stays the caller's. */
  public BackupRun(
      Context context,
      BackupPlan plan,
      BackupRequest request,
      Repository repository,
      WriterKeys keys,
      RunId run,
      RunOrigin origin,
      Instance instance,
      StopSignal stopping) {
    this.attempt =
        new Attempt(
            context,
            plan,
            request,
            repository,
            keys,
            run,
            origin,
            instance,
            context.clock().instant(),
            stopping);
    this.findings = new RunFindings(run, context.listeners());
    this.progress = new ProgressMeter(run, context.clock(), context.listeners());
  }

  /** Id of a run that begins now. */
  public static RunId newRun(Context context) {
    return new RunId(Ulid.at(context.clock().instant(), context.random()));
  }

  /**
   * What a run of this writer was asked for, and where another attempt of it stands.
   *
   * @throws BackupException.Refused NOT_FOUND if there is no such run of the plan; BLOCKED if it
   *     made a snapshot
   */
  public static RunLog.Known toRetry(
      Repository repository, WriterKeys keys, BackupPlan plan, RunId run) throws IOException {
    RunLog runs = RunLog.of(repository.log(keys.id().name()), repository.isPinned());
    RunLog.Known known =
        runs.find(run)
            .filter(r -> r.record().plan().equals(plan.name()))
            .orElseThrow(
                () ->
                    new BackupException.Refused(
                        CoreFailure.NOT_FOUND,
                        "writer %s has made no run %s of plan %s"
                            .formatted(keys.id().name(), run, plan.name())));
    if (known.record().state() == RunRecord.State.COMMITTED) {
      throw new BackupException.Refused(
          CoreFailure.BLOCKED, "run %s made a snapshot: there is nothing to retry".formatted(run));
    }
    return known;
  }

  /** The sources that a request means. */
  public static List<PlannedSource> selected(BackupPlan plan, BackupRequest request)
      throws BackupException {
    return new Selection<>(plan.sources(), PlannedSource::name, PlannedSource::component)
        .of(request.only());
  }

  /**
   * Backs up. Returns a report if and only if the snapshot exists; nothing if another run has
   * answered for the slot, or is about to.
   */
  public Optional<BackupReport> execute() throws IOException {
    List<PlannedSource> sources = checked();
    RunClaim claim = new RunClaim(attempt);
    Optional<LogView> log = taken(claim);
    return log.isEmpty() ? Optional.empty() : Optional.of(claimed(sources, claim, log.get()));
  }

  /** Where the reply of the store was lost, it may have begun. */
  private static Optional<LogView> taken(RunClaim claim) throws IOException {
    try {
      return claim.take();
    } catch (BackupException.Sink e) {
      claim.failed(e);
      throw e;
    }
  }

  /** However it ends, the log says so, if the store lets it. */
  private BackupReport claimed(List<PlannedSource> sources, RunClaim claim, LogView log)
      throws IOException {
    try (Heartbeat beating = claim.beating()) {
      LOG.debug("run {} shows that it lives: {}", attempt.run(), beating);
      return captured(sources, log);
    } catch (UncheckedIOException e) {
      // Names of packs are read one after the other, out of files of the workspace.
      IOException told = ScratchFile.failed("read the index", Objects.requireNonNull(e.getCause()));
      claim.failed(told);
      throw told;
    } catch (IOException | RuntimeException | Error e) {
      claim.failed(e);
      throw e;
    }
  }

  /**
   * Where retention dooms meanwhile what the snapshot would name, the sources are captured again,
   * with those chunks unknown.
   */
  private BackupReport captured(List<PlannedSource> sources, LogView log) throws IOException {
    SnapshotName name = SnapshotCommit.freeName(attempt, log);
    Epoch epoch = currentEpoch();
    RunLog runs = RunLog.of(log, attempt.repository().isPinned());
    List<StateRef> leftBehind = runs.leftBehind(attempt.plan().name(), epoch);
    List<StateRef> known = new ArrayList<>(SnapshotCommit.newestState(log, epoch));
    known.addAll(leftBehind);
    try (WriterState state = loadState(known, log)) {
      findings.add(lost(state, leftBehind));
      RunProgress told = new RunProgress(attempt, epoch, state.index());
      IndexedShelf shelf = new IndexedShelf(attempt, state.index(), told);
      EarlierCaptures earlier =
          new EarlierCaptures(attempt, state, runs.wholes(attempt.plan().name(), epoch));
      return captured(new Steps(sources, name, epoch, state, shelf, leftBehind, told, earlier));
    }
  }

  private BackupReport captured(Steps steps) throws IOException {
    Steps now = steps;
    RunFindings before = findings.copy();
    for (int captures = 1; ; captures++) {
      try {
        return capture(now);
      } catch (BackupException.Refused e) {
        if (e.code() != CoreFailure.OBJECT_DOOMED || captures == MOST_CAPTURES) {
          throw e;
        }
        LOG.info("capturing again: {}", e.detail());
        findings = before.copy();
        now.told().begin();
        now = now.withoutEarlier();
        now.state()
            .forgetDoomed(
                attempt.repository().retention(), attempt.repository().log(attempt.writer()));
      }
    }
  }

  /** What a run without a snapshot left behind is garbage: that it is gone tells nothing. */
  private static List<Finding> lost(WriterState state, List<StateRef> leftBehind) {
    return state.findings().stream()
        .filter(f -> leftBehind.stream().noneMatch(r -> r.object().toString().equals(f.subject())))
        .toList();
  }

  /** What one round of captures works with. */
  private record Steps(
      List<PlannedSource> sources,
      SnapshotName name,
      Epoch epoch,
      WriterState state,
      IndexedShelf shelf,
      List<StateRef> leftBehind,
      RunProgress told,
      EarlierCaptures earlier) {
    /** The same, all captured anew. */
    Steps withoutEarlier() {
      return new Steps(sources, name, epoch, state, shelf, leftBehind, told, earlier.none());
    }
  }

  private BackupReport capture(Steps with) throws IOException {
    WriterState state = with.state();
    try (PackPipeline pipeline = pipeline(with.epoch(), state.index(), with.shelf());
        CaptureLoop loop =
            new CaptureLoop(attempt, findings, progress, pipeline, with.told(), with.earlier())) {
      List<Captured> captures = loop.run(with.sources(), state, with.epoch());
      progress.begin("commit", 0);
      pipeline.flush();
      StateUpdate update = new StateUpdate(attempt, state, with.epoch(), with.leftBehind());
      update.store(with.shelf(), captures);
      SnapshotEntry committed =
          new SnapshotCommit(attempt, with.epoch(), state.index(), findings, captures)
              .under(with.name(), update);
      progress.end();
      return report(committed);
    }
  }

  /** Runs the checks that come before anything is stored; returns the sources to capture. */
  private List<PlannedSource> checked() throws IOException {
    SourceChecks checks = new SourceChecks(attempt.context().clock(), attempt.stopping());
    List<PlannedSource> sound = checks.sound(selected(attempt.plan(), attempt.request()), findings);
    if (sound.isEmpty()) {
      throw new BackupException.Source(
          CoreFailure.SOURCE_FAILED, "no source is left to capture: " + findings.all());
    }
    new SinkCheck(attempt.context(), attempt.repository(), attempt.plan(), attempt.stopping())
        .require(attempt.keys().id(), sound, checks.expectedBytes());
    return sound;
  }

  private Epoch currentEpoch() throws IOException {
    return current(
        attempt.plan(),
        new Epochs(attempt.repository(), attempt.keys(), attempt.context().random()));
  }

  /** What a plan encrypts to now. */
  static Epoch current(BackupPlan plan, Epochs epochs) throws IOException {
    return plan.takesOnlyEpochsMadeElsewhere()
        ? epochs.madeElsewhere(plan.recipients())
        : epochs.current(plan.recipients());
  }

  private WriterState loadState(List<StateRef> refs, LogView log) throws IOException {
    return WriterState.load(
        attempt.repository(),
        attempt.keys().stateIdentity(),
        refs,
        log,
        attempt.plan().limits().memoryBytes());
  }

  private PackPipeline pipeline(Epoch epoch, ChunkIndex index, PackShelf shelf) {
    Recipient recipient = epoch.recipient();
    return new PackPipeline(
        new PackPipeline.Settings(
            attempt.plan().limits().memoryBytes(),
            attempt.plan().limits().parallelism(),
            attempt.plan().limits().compressionLevel(),
            attempt.plan().limits().blockBytes()),
        attempt.context().executor(),
        attempt.keys().chunkIdKey(),
        stored -> recipient.format().seal(stored, List.of(recipient)),
        index,
        shelf,
        attempt.stopping());
  }

  private BackupReport report(SnapshotEntry committed) {
    return new BackupReport(
        attempt.run(),
        committed.id(),
        committed.name(),
        committed.outcome(),
        findings.all(),
        committed.parts().stream().map(SnapshotEntry.Part::header).toList(),
        Duration.between(attempt.began(), attempt.context().clock().instant()));
  }
}
