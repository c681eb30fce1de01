package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.pipeline.PackPipeline;
import org.stellaops.backup.internal.pipeline.PackShelf;
import org.stellaops.backup.internal.repository.ChunkIndex;
import org.stellaops.backup.internal.repository.Epoch;
import org.stellaops.backup.internal.repository.Epochs;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StateRef;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.RunId;
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
      StopSignal stopping) {
    this.attempt =
        new Attempt(
            context, plan, request, repository, keys, run, context.clock().instant(), stopping);
    this.findings = new RunFindings(run, context.listeners());
    this.progress = new ProgressMeter(run, context.clock(), context.listeners());
  }

  /** Id of a run that begins now. */
  public static RunId newRun(Context context) {
    return new RunId(Ulid.at(context.clock().instant(), context.random()));
  }

  /** The sources that a request means. */
  public static List<PlannedSource> selected(BackupPlan plan, BackupRequest request)
      throws BackupException {
    return new Selection<>(plan.sources(), PlannedSource::name, PlannedSource::component)
        .of(request.only());
  }

  /**
   * Backs up. Returns if and only if the snapshot exists. Where retention dooms meanwhile what the
   * snapshot would name, the sources are captured again, with those chunks unknown.
   */
  public BackupReport execute() throws IOException {
    List<PlannedSource> sources = checked();
    LogView log = attempt.repository().log(attempt.writer());
    SnapshotName name = SnapshotCommit.freeName(attempt, log);
    Epoch epoch = currentEpoch();
    WriterState state = loadState(SnapshotCommit.newestState(log, epoch), log);
    findings.add(state.findings());
    IndexedShelf shelf = new IndexedShelf(attempt.store(), attempt.writer(), state.index());
    RunFindings before = findings.copy();
    for (int captures = 1; ; captures++) {
      try {
        return capture(sources, name, epoch, state, shelf);
      } catch (BackupException.Refused e) {
        if (e.code() != CoreFailure.OBJECT_DOOMED || captures == MOST_CAPTURES) {
          throw e;
        }
        LOG.info("capturing again: {}", e.detail());
        findings = before.copy();
        state.forgetDoomed(
            attempt.repository().retention(), attempt.repository().log(attempt.writer()));
      }
    }
  }

  private BackupReport capture(
      List<PlannedSource> sources,
      SnapshotName name,
      Epoch epoch,
      WriterState state,
      IndexedShelf shelf)
      throws IOException {
    try (PackPipeline pipeline = pipeline(epoch, state.index(), shelf);
        CaptureLoop loop = new CaptureLoop(attempt, findings, progress, pipeline)) {
      List<SourceCapture> captures = loop.run(sources, state, epoch);
      progress.begin("commit", 0);
      pipeline.flush();
      StateUpdate update = new StateUpdate(attempt, state, epoch);
      update.store(shelf, captures);
      SnapshotEntry committed =
          new SnapshotCommit(attempt, epoch, state.index(), findings, captures).under(name, update);
      progress.end();
      return report(committed);
    }
  }

  /** Runs the checks that come before anything is stored; returns the sources to capture. */
  private List<PlannedSource> checked() throws BackupException {
    SourceChecks checks = new SourceChecks(attempt.context().clock(), attempt.stopping());
    List<PlannedSource> sound = checks.sound(selected(attempt.plan(), attempt.request()), findings);
    if (sound.isEmpty()) {
      throw new BackupException.Source(
          CoreFailure.SOURCE_FAILED, "no source is left to capture: " + findings.all());
    }
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
    return WriterState.load(attempt.repository(), attempt.keys().stateIdentity(), refs, log);
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
