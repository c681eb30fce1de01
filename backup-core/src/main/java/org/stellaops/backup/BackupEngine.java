package org.stellaops.backup;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RunEntry;
import org.stellaops.backup.internal.repository.RunLog;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.run.Administration;
import org.stellaops.backup.internal.run.BackupRun;
import org.stellaops.backup.internal.run.Closing;
import org.stellaops.backup.internal.run.Context;
import org.stellaops.backup.internal.run.IndexRebuild;
import org.stellaops.backup.internal.run.Instance;
import org.stellaops.backup.internal.run.Listeners;
import org.stellaops.backup.internal.run.PruneSettings;
import org.stellaops.backup.internal.run.Replication;
import org.stellaops.backup.internal.run.RestorePlanner;
import org.stellaops.backup.internal.run.RetentionAccess;
import org.stellaops.backup.internal.run.RunOrigin;
import org.stellaops.backup.internal.run.Silence;
import org.stellaops.backup.internal.run.SinkCheck;
import org.stellaops.backup.internal.run.SnapshotAccess;
import org.stellaops.backup.internal.run.SourceChecks;
import org.stellaops.backup.internal.run.StopSignal;
import org.stellaops.backup.internal.run.StreamRun;
import org.stellaops.backup.internal.run.Threads;
import org.stellaops.backup.internal.run.Throttle;
import org.stellaops.backup.internal.run.UnderWay;
import org.stellaops.backup.internal.run.Workspace;
import org.stellaops.backup.model.ArchiveReport;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.IndexReport;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.RecoveryWindow;
import org.stellaops.backup.model.RepairReport;
import org.stellaops.backup.model.ReplicationStatus;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.Slot;
import org.stellaops.backup.model.SnapshotName;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.plan.ArchivePlan;
import org.stellaops.backup.plan.ArchiveRequest;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.PlannedSource;
import org.stellaops.backup.plan.PlannedStream;
import org.stellaops.backup.plan.RepairPlan;
import org.stellaops.backup.plan.RepairRequest;
import org.stellaops.backup.retention.PrunePreview;
import org.stellaops.backup.retention.PruneRequest;
import org.stellaops.backup.retention.RetentionRules;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.WriterKeys;
import org.stellaops.backup.store.RetryPolicy;

/**
 * A repository with a plan: adds what needs sources and writer keys. Opening one makes the
 * repository where there is none, unless the writer's keys belong to one that should be there.
 */
public final class BackupEngine extends BackupRepository {
  private static final Logger LOG = LoggerFactory.getLogger(BackupEngine.class);

  private final BackupPlan plan;
  private final WriterKeys keys;
  private final Map<RunId, StopSignal> running = new ConcurrentHashMap<>();
  private final Map<String, StreamRun> streams = new ConcurrentHashMap<>();

  private final WriterKeys deleting;
  private final Instance instance;

  private BackupEngine(
      BackupPlan plan,
      WriterKeys keys,
      WriterKeys deleting,
      String instance,
      Resources resources,
      SnapshotAccess access) {
    super(resources, access);
    this.plan = plan;
    this.keys = keys;
    this.deleting = deleting;
    this.instance =
        new Instance(
            instance,
            running.keySet(),
            new Silence(
                resources.repository().store(), resources.context().random(), System::nanoTime),
            new Throttle(plan.limits().bytesPerSecond(), System::nanoTime));
  }

  /** Opens an engine with everything as it usually is. */
  public static BackupEngine open(BackupPlan plan) throws BackupException {
    return with(plan).open();
  }

  /** Begins opening an engine. */
  public static Builder with(BackupPlan plan) {
    return new Builder(plan);
  }

  /**
   * Backs up. Returns if and only if a snapshot exists; its outcome may be DEGRADED or PARTIAL, see
   * {@link BackupReport#requireGood}.
   *
   * @throws BackupException.Source a source failed; nothing was committed
   * @throws BackupException.Sink the store failed; whether a lost reply was a commit is settled by
   *     the next listing
   * @throws BackupException.Refused NAME_CONFLICT, or a name in the request that means nothing;
   *     RUN_IN_PROGRESS if a run of the plan by the same writer is under way, here or elsewhere,
   *     and the request neither waits nor goes beside it
   * @throws BackupException.Stopped cancelled, interrupted, or out of time; FENCED if another
   *     instance ended this run since it was silent for longer than its lease
   */
  public BackupReport backup(BackupRequest request) throws BackupException {
    return run(request, RunOrigin.ASKED)
        .orElseThrow(() -> new AssertionError("only a run for a slot can find it answered"));
  }

  /**
   * Backs up for a moment of the plan's schedule, unless another instance has done so, or does it
   * now. However many instances of the writer ask, exactly one run of a slot makes a snapshot; one
   * that fails or dies leaves the slot to whoever asks next.
   *
   * @param request waits, if it says so, also for another run of the slot, to take its place if it
   *     ends without a snapshot
   * @return nothing if the slot is another run's, which {@link Catalog#runs} names, or failed as
   *     often as the plan allows
   * @throws BackupException.Refused RUN_IN_PROGRESS if a run of the plan is under way that is not
   *     for this slot
   * @throws BackupException as {@link #backup}
   */
  public Optional<BackupReport> run(Slot slot, BackupRequest request) throws BackupException {
    return run(request, RunOrigin.of(slot));
  }

  /**
   * Makes another attempt of a run that failed or was abandoned: asks again for what it was asked
   * for, and stores again only what it did not get to.
   *
   * @throws BackupException.Refused NOT_FOUND if there is no such run of this plan and writer;
   *     BLOCKED if it, or another one for its slot, made a snapshot; RUN_IN_PROGRESS if it lives
   * @throws BackupException as {@link #backup}
   */
  public BackupReport retry(RunId failed) throws BackupException {
    RunLog.Known known =
        stoppable(
            "read runs", stop -> BackupRun.toRetry(resources().repository(), keys, plan, failed));
    RunEntry.Request asked = known.entry().request();
    BackupRequest request =
        (asked.kind() == CaptureKind.FULL ? BackupRequest.full() : BackupRequest.incremental())
            .only(asked.only().toArray(new String[0]));
    if (asked.name().isPresent()) {
      request = request.named(asked.name().get().value());
    }
    RunOrigin origin =
        new RunOrigin(known.record().slot(), Optional.empty(), known.record().attempt());
    return run(request, origin.after(failed))
        .orElseThrow(
            () ->
                new BackupException.Refused(
                    CoreFailure.BLOCKED,
                    "another run answers for slot %s of run %s"
                        .formatted(known.record().slot().orElseThrow(), failed)));
  }

  private Optional<BackupReport> run(BackupRequest request, RunOrigin origin)
      throws BackupException {
    StopSignal stop = new StopSignal(resources().context().clock());
    resources().underWay().begin(stop);
    try {
      stop.within(request.deadline());
      return attempts(request, origin, stop);
    } finally {
      stop.close();
      resources().underWay().end(stop);
    }
  }

  /** Again where a fault of the store may pass, as often as the plan says. */
  private Optional<BackupReport> attempts(BackupRequest request, RunOrigin first, StopSignal stop)
      throws BackupException {
    RetryPolicy policy = plan.runs().retry();
    RunOrigin origin = first;
    for (int failed = 1; ; failed++) {
      RunId run = BackupRun.newRun(resources().context());
      running.put(run, stop);
      try {
        return attempt(request, run, origin, stop);
      } catch (BackupException.Sink e) {
        if (e.reason() != BackupException.Sink.Reason.TRANSIENT || failed >= policy.attempts()) {
          throw e;
        }
        Duration delay = policy.delayAfter(failed, resources().context().random());
        LOG.warn("run {} met what may pass and is attempted again in {}", run, delay, e);
        stop.sleep(delay);
        origin = origin.after(run);
      } finally {
        running.remove(run);
      }
    }
  }

  private Optional<BackupReport> attempt(
      BackupRequest request, RunId run, RunOrigin origin, StopSignal stop) throws BackupException {
    Context context = resources().context();
    Set<SourceName> names = new LinkedHashSet<>();
    BackupRun.selected(plan, request).forEach(s -> names.add(s.name()));
    try {
      context.listeners().tell(l -> l.runStarted(run, Set.copyOf(names)));
      Optional<BackupReport> report =
          new BackupRun(
                  context,
                  plan,
                  request,
                  resources().repository(),
                  keys,
                  run,
                  origin,
                  instance,
                  stop)
              .execute();
      report = report.map(r -> replication(stop).replicated(r));
      report.ifPresentOrElse(
          r -> context.listeners().tell(l -> l.runFinished(r)),
          () -> context.listeners().tell(l -> l.runNotNeeded(run)));
      return report;
    } catch (IOException e) {
      BackupException failure = failure("backup", e, stop);
      context.listeners().tell(l -> l.runFailed(run, failure));
      throw failure;
    } catch (RuntimeException | Error mistake) {
      var failure =
          new BackupException.Source(
              CoreFailure.INTERNAL, "the run ended with " + mistake, mistake);
      context.listeners().tell(l -> l.runFailed(run, failure));
      throw mistake;
    }
  }

  /**
   * Begins to record a stream of the plan, from where it was recorded last. It goes on until it, or
   * this engine, is closed.
   *
   * @throws BackupException.Refused NOT_FOUND if the plan has no such stream; BLOCKED if this
   *     engine records it already
   */
  public RunningStream stream(String name) throws BackupException {
    PlannedStream planned =
        plan.streams().stream()
            .filter(s -> s.name().value().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    new BackupException.Refused(
                        CoreFailure.NOT_FOUND,
                        "the plan has no stream '%s'; it has %s"
                            .formatted(
                                name, plan.streams().stream().map(PlannedStream::name).toList())));
    StreamRun run =
        new StreamRun(
            resources().context(),
            plan,
            planned,
            resources().repository(),
            keys,
            resources().underWay());
    StreamRun before = streams.putIfAbsent(name, run);
    if (before != null && !streams.replace(name, requireEnded(before), run)) {
      throw recordedAlready(name);
    }
    run.start();
    return new RunningStream(run);
  }

  private static StreamRun requireEnded(StreamRun before) throws BackupException.Refused {
    if (before.isOver()) {
      return before;
    }
    throw recordedAlready(before.status().stream().value());
  }

  private static BackupException.Refused recordedAlready(String name) {
    return new BackupException.Refused(
        CoreFailure.BLOCKED, "stream '%s' is being recorded by this engine".formatted(name));
  }

  /**
   * Asks every source of a request, every stream of the plan, and the sink, whether a run would
   * work; goes on after a failure, so that all of them are known at once. Stores nothing.
   *
   * @throws BackupException.Refused a name in the request that means nothing
   */
  public List<CheckResult> preflight(BackupRequest request) throws BackupException {
    List<PlannedSource> sources = BackupRun.selected(plan, request);
    return stoppable("preflight", stop -> checks(sources, stop));
  }

  private List<CheckResult> checks(List<PlannedSource> sources, StopSignal stop)
      throws IOException {
    SourceChecks checks = new SourceChecks(resources().context().clock(), stop);
    List<CheckResult> results = new ArrayList<>(checks.of(sources));
    long expectedBytes = checks.expectedBytes();
    results.addAll(checks.ofStreams(plan.streams()));
    results.addAll(
        new SinkCheck(resources().context(), resources().repository(), plan, stop)
            .of(keys.id(), sources, expectedBytes));
    if (plan.retention().isPresent()) {
      results.add(SinkCheck.janitor(keys.id(), deleting.id()));
    }
    stop.check();
    return List.copyOf(results);
  }

  /**
   * What a prune would let go now, by the rules of the plan, with the reasons. Changes nothing.
   *
   * @throws IllegalStateException if the plan has no rules
   */
  public PrunePreview planPrune() throws BackupException {
    return planPrune(PruneRequest.byRules());
  }

  /**
   * What a prune would let go now, with the reasons. Changes nothing.
   *
   * @throws IllegalStateException if the plan has no rules
   * @throws BackupException.Refused SAFETY_FLOOR if something was named that has to stay; NOT_FOUND
   *     or AMBIGUOUS
   */
  public PrunePreview planPrune(PruneRequest request) throws BackupException {
    RetentionAccess retention = retention();
    return stoppable("plan prune", stop -> retention.plan(request));
  }

  /**
   * Lets go of exactly what a preview shows, and removes what was let go long enough ago. Goes on
   * after what fails, which the report names.
   *
   * @throws BackupException.Refused PLAN_STALE if the consent is to something else, or something
   *     changed; BLOCKED or CLOCK_UNSOUND
   * @throws BackupException.Corrupt if the log of deletions is damaged
   */
  public PruneReport prune(PrunePreview preview, Confirmation consent) throws BackupException {
    RetentionAccess retention = retention();
    return stoppable("prune", stop -> retention.prune(preview, consent, stop));
  }

  /**
   * How far back each source that a recorded stream follows can be taken to any instant now, beside
   * how far the rules say: a figure to draw and to alarm by. Changes nothing; {@link
   * BackupListener#recoveryWindow} is told the same after each prune.
   *
   * @throws IllegalStateException if the plan has no rules
   */
  public List<RecoveryWindow> recoveryWindows() throws BackupException {
    return stoppable("look at recovery windows", stop -> retention().windows());
  }

  /**
   * What moving to an archive would copy there, and let go of here. Changes nothing.
   *
   * @throws BackupException.Refused as {@link #planPrune(PruneRequest)} and {@link
   *     BackupRepository#copy}
   */
  public ArchivePlan planArchive(ArchiveRequest request) throws BackupException {
    RetentionAccess retention = retention();
    return stoppable("plan archive", stop -> retention.archiving(stop).plan(request));
  }

  /**
   * Copies what the plan shows to the archive with everything that it needs, reads every object
   * there and compares it, and only then lets go of it here, as a prune does. An archive keeps what
   * it has: what retention lets go of here later is not let go of there.
   *
   * @throws BackupException.Refused PLAN_STALE if the consent is to something else, or something
   *     changed; NOT_FOUND if there is nothing to move; otherwise as {@link #prune} and {@link
   *     BackupRepository#copy}
   * @throws BackupException.Corrupt COPY_INCOMPLETE if something of it is damaged here: nothing was
   *     let go of
   */
  public ArchiveReport archive(ArchivePlan plan, Confirmation consent) throws BackupException {
    RetentionAccess retention = retention();
    return stoppable("archive", stop -> retention.archiving(stop).archive(plan, consent));
  }

  private Replication replication(StopSignal stop) {
    return new Replication(
        resources().context(),
        plan,
        (ObjectStore) resources().store(),
        resources().repository(),
        keys.id().name(),
        stop);
  }

  /**
   * Which snapshots are in which stores of the plan, as these themselves tell it now, which are in
   * fewer places than the plan wants, and how far replicas are with what is recorded. A replica
   * that cannot be asked holds nothing, as far as anybody knows.
   */
  public ReplicationStatus replication() throws BackupException {
    return stoppable("look at replicas", stop -> replication(stop).status());
  }

  private RetentionAccess retention() {
    RetentionRules rules =
        plan.retention()
            .orElseThrow(
                () -> new IllegalStateException("the plan says nothing of what to keep: retain()"));
    return new RetentionAccess(
        resources().context(),
        resources().repository(),
        deleting,
        rules,
        new PruneSettings(plan.grace(), PruneSettings.USUAL.minimumAge()));
  }

  /**
   * Stops a run as soon as it can be; the call that started it throws Stopped. Nothing happens if
   * it is over.
   */
  public void cancel(RunId run) {
    StopSignal stop = running.get(run);
    if (stop != null) {
      stop.cancel();
    }
  }

  /**
   * Checks as deep as asked, and finds out what of the damage could be stored again from copies and
   * which sources of which snapshots are lost. Changes nothing.
   */
  public RepairPlan planRepair(RepairRequest request) throws BackupException {
    return stoppable("plan repair", stop -> access().planRepair(request, stop));
  }

  /**
   * Carries out exactly the plan that was shown: stores sound copies again. Removes nothing; where
   * a damaged object stands in the way, it is set aside under another name. Goes on after what
   * fails, which the report names. Safe to be done again.
   *
   * @throws BackupException.Refused PLAN_STALE if the consent is to something else
   */
  public RepairReport repair(RepairPlan plan, Confirmation consent) throws BackupException {
    return stoppable("repair", stop -> access().repair(plan, consent, stop));
  }

  /**
   * What of this writer's chunks the stored index does not describe any more. Reads the index, and
   * no pack; needs no identity, and changes nothing.
   */
  public IndexReport planIndexRebuild() throws BackupException {
    return stoppable("plan a rebuild of the index", stop -> rebuild(stop).plan());
  }

  /**
   * Makes the index of this writer's chunks again where its state is lost or damaged, so that the
   * next backup stores nothing again that is there: reads every pack that the log names and no
   * sound part of the stored index describes, in the epoch that the plan encrypts to. Needs the
   * writer's own keys, all three of them: packs hold ids that were made with its id-key, and with
   * another one none of them is found. It can be stopped, fail or be killed at any time: what was
   * read so far is kept, and the next call goes on there. Backups may go on meanwhile. Listeners
   * hear of it as phase {@code rebuild index}.
   *
   * @param by opens the epoch: the packs are sealed, and the writer cannot open them; stays the
   *     caller's
   * @throws BackupException.Crypto WRONG_KEY if it does not
   */
  public IndexReport rebuildIndex(Identity by) throws BackupException {
    return stoppable(
        "rebuild the index",
        stop -> rebuild(stop).execute(by, BackupRun.newRun(resources().context())));
  }

  private IndexRebuild rebuild(StopSignal stop) {
    return new IndexRebuild(resources().context(), plan, resources().repository(), keys, stop);
  }

  @Override
  public void close() throws BackupException {
    try {
      super.close();
    } finally {
      deleting.close();
    }
  }

  /** How an engine is opened. One thread. */
  public static final class Builder {
    private final BackupPlan plan;
    private final List<BackupListener> listeners = new ArrayList<>();
    private InstantSource clock = InstantSource.system();
    private @Nullable Path workspace;
    private @Nullable Executor executor;
    private @Nullable String instance;

    private Builder(BackupPlan plan) {
      this.plan = plan;
    }

    /** The clock; the system's unless said. */
    public Builder clock(InstantSource clock) {
      this.clock = clock;
      return this;
    }

    /**
     * Where work is done; threads of its own, gone when it is closed, unless said: the plan's
     * parallelism for what computes, and a few for what waits for disks. It must have threads to
     * spare: it must not be the pool that calls the engine. Stays the caller's.
     */
    public Builder executor(Executor executor) {
      this.executor = executor;
      return this;
    }

    /**
     * A directory for disposable local files; where temporary files go unless said. It remembers
     * the heads that were seen, so that a store cannot go backwards unnoticed.
     */
    public Builder workspace(Path directory) {
      workspace = directory;
      return this;
    }

    /**
     * What this engine is called among those of the same writer; a name that nobody had before
     * unless said. A name that is the same after a restart, such as a pod's, lets the next run end
     * at once what the process before left behind; so no two engines that are open may share it:
     * each would take the other's runs for such.
     *
     * @throws IllegalArgumentException unless it is {@code [A-Za-z0-9._-]{1,120}}; it is readable
     *     without a key
     */
    public Builder instance(String name) {
      instance = SnapshotName.of(name).value();
      return this;
    }

    /** Hears what happens. */
    public Builder listener(BackupListener listener) {
      listeners.add(listener);
      return this;
    }

    /**
     * Opens the engine.
     *
     * @throws BackupException.Sink SINK_NOT_THERE if the writer's keys belong to a repository that
     *     is not there
     * @throws BackupException.Refused WRONG_REPOSITORY if they belong to another one
     */
    public BackupEngine open() throws BackupException {
      return translated("open " + plan.sink().describe(), this::opened);
    }

    private BackupEngine opened() throws IOException {
      try (Closing opened = new Closing()) {
        WriterKeys keys = plan.writer().open();
        opened.add(keys::close);
        WriterKeys deleting = plan.janitor().isPresent() ? plan.janitor().get().open() : keys;
        opened.add(deleting::close);
        Workspace files = Workspace.in(Optional.ofNullable(workspace));
        ObjectStore store = opened.add(plan.sink().open(new StoreContext(clock, Stopping.never())));
        requireExclusive(store);
        BackupEngine engine = engine(keys, deleting, store, files);
        opened.handOver();
        return engine;
      }
    }

    private void requireExclusive(ObjectStore store) throws BackupException {
      if (!store.traits().isCreateExclusive()) {
        throw new BackupException.Refused(
            CoreFailure.BLOCKED,
            plan.sink().describe()
                + " cannot create exclusively, so it can hold a copy but take no commit");
      }
    }

    private BackupEngine engine(
        WriterKeys keys, WriterKeys deleting, ObjectStore store, Workspace files)
        throws IOException {
      Context context =
          new Context(
              clock,
              Threads.of(executor, plan.limits().parallelism()),
              plan.limits().parallelism(),
              files,
              new Listeners(listeners),
              new SecureRandom());
      Repository repository = repository(keys, deleting.id(), store, context);
      new Administration(context, repository, Optional.of(keys)).finishRotation();
      store.ability(StoreAbility.Strays.class).ifPresent(this::sweep);
      SnapshotAccess access =
          new SnapshotAccess(context, repository, List.of(), Optional.of(keys), this::planner);
      return new BackupEngine(
          plan,
          keys,
          deleting,
          instance == null ? BackupRun.newRun(context).value() : instance,
          new Resources(context, store, repository, Optional.of(keys), new UnderWay()),
          access);
    }

    /** What killed runs left is in nobody's way. */
    private void sweep(StoreAbility.Strays strays) {
      try {
        strays.sweep();
      } catch (IOException e) {
        LOG.warn("what killed runs left in {} stays there", plan.sink().describe(), e);
      }
    }

    private Repository repository(
        WriterKeys keys, WriterId deleting, ObjectStore store, Context context) throws IOException {
      Trust trust = plan.trust().and(trustIn(keys, deleting));
      StoreAccess objects = new StoreAccess(store);
      Optional<Repository> there = Repository.open(objects, trust, context.workspace(), clock);
      Optional<String> expected = keys.repository();
      if (there.isEmpty() && expected.isPresent()) {
        throw new BackupException.Sink(
            CoreFailure.SINK_NOT_THERE,
            BackupException.Sink.Reason.NOT_FOUND,
            "repository %s is not at %s; hint: is the volume mounted? Nothing was created"
                .formatted(expected.get(), plan.sink().describe()));
      }
      if (there.isPresent() && expected.isPresent() && !there.get().id().equals(expected.get())) {
        throw new BackupException.Refused(
            CoreFailure.WRONG_REPOSITORY,
            "%s holds repository %s, the writer's keys belong to %s"
                .formatted(plan.sink().describe(), there.get().id(), expected.get()));
      }
      if (there.isPresent()) {
        there.get().requirePrimary();
      }
      Repository repository =
          there.isPresent()
              ? there.get()
              : Repository.create(objects, trust, context.workspace(), clock, context.random());
      repository.markSink();
      if (expected.isEmpty()) {
        keys.bindTo(repository.id());
      }
      return repository;
    }

    /**
     * The writer's own keys count, those of before too; epochs of others only where it is strict.
     */
    /** The writer itself; in the log of deletions whoever deletes, and nobody else. */
    private Trust trustIn(WriterKeys keys, WriterId deleting) {
      List<String> logs = new ArrayList<>(List.of(keys.id().name(), keys.id().name() + ".*"));
      logs.add("verify");
      if (!plan.takesOnlyEpochsMadeElsewhere()) {
        logs.add("admin");
      }
      List<Trust.Signer> signers = new ArrayList<>();
      if (keys.id().equals(deleting)) {
        logs.add("retention");
      } else {
        signers.add(new Trust.Signer(List.of("retention"), deleting.publicKey()));
      }
      signers.add(new Trust.Signer(logs, keys.id().publicKey()));
      keys.formerKeys().forEach(key -> signers.add(new Trust.Signer(logs, key)));
      return new Trust(signers);
    }

    private RestorePlanner planner() {
      Map<SourceName, RestoreTarget> origins = new HashMap<>();
      Map<SourceName, Stage> stages = new HashMap<>();
      for (PlannedSource source : plan.sources()) {
        stages.put(source.name(), source.description().stage());
        source.source().origin().ifPresent(o -> origins.put(source.name(), o));
      }
      return new RestorePlanner(origins, stages);
    }
  }
}
