package org.stellaops.backup.internal.run;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.internal.pipeline.PackPipeline;
import org.stellaops.backup.internal.pipeline.PackShelf;
import org.stellaops.backup.internal.pipeline.Runs;
import org.stellaops.backup.internal.repository.ChunkIndex;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.Epoch;
import org.stellaops.backup.internal.repository.Epochs;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Manifest;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.PackLists;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StateRef;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotName;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.PlannedSource;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.HoldContext;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.WriterKeys;

/**
 * One backup: check, capture every source, store what it takes, commit one signed entry. Until the
 * entry is in its slot there is no snapshot, and nothing that was stored is anything but
 * unreferenced.
 */
public final class BackupRun {
  /** Index parts that are kept apart before they are written as one. */
  private static final int MAX_INDEX_PARTS = 8;

  private final Context context;
  private final BackupPlan plan;
  private final BackupRequest request;
  private final Repository repository;
  private final WriterKeys keys;
  private final StopSignal stopping;
  private final RunId run;
  private final Instant began;
  private final ProgressMeter progress;
  private final List<Finding> findings = new ArrayList<>();
  private final List<SourceCapture> captures = new ArrayList<>();
  private final Map<SourceName, CapturedSource> captured = new LinkedHashMap<>();
  private boolean isPartial;

  /** Everything stays the caller's. */
  public BackupRun(
      Context context,
      BackupPlan plan,
      BackupRequest request,
      Repository repository,
      WriterKeys keys,
      RunId run,
      StopSignal stopping) {
    this.context = context;
    this.plan = plan;
    this.request = request;
    this.repository = repository;
    this.keys = keys;
    this.stopping = stopping;
    this.run = run;
    this.began = context.clock().instant();
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

  /** Asks every source whether a capture would work; changes nothing. */
  public static List<CheckResult> check(
      List<PlannedSource> sources, InstantSource clock, Stopping stopping) {
    List<CheckResult> results = new ArrayList<>();
    sources.forEach(s -> results.addAll(check(s, clock, stopping)));
    return results;
  }

  private static List<CheckResult> check(
      PlannedSource source, InstantSource clock, Stopping stopping) {
    List<CheckResult> results = new ArrayList<>();
    try {
      source
          .source()
          .check(
              new Checks() {
                @Override
                public void add(CheckResult result) {
                  results.add(
                      new CheckResult(
                          source.name() + ": " + result.id(),
                          result.verdict(),
                          result.evidence(),
                          result.remedy()));
                }

                @Override
                public Stopping stopping() {
                  return stopping;
                }

                @Override
                public InstantSource clock() {
                  return clock;
                }
              });
    } catch (IOException e) {
      results.add(
          CheckResult.fail(
              source.name() + ": check",
              String.valueOf(e.getMessage()),
              CoreFailure.SOURCE_CHECK_FAILED.remedy()));
    }
    return results;
  }

  /** Runs the checks that come before anything is stored; returns the sources to capture. */
  private List<PlannedSource> checked() throws BackupException {
    List<PlannedSource> sound = new ArrayList<>();
    List<String> failures = new ArrayList<>();
    for (PlannedSource source : selected(plan, request)) {
      List<String> failed = failed(check(source, context.clock(), stopping));
      stopping.check();
      if (failed.isEmpty()) {
        sound.add(source);
      } else if (source.mayFail()) {
        skip(source, String.join("; ", failed));
      } else {
        failures.addAll(failed);
      }
    }
    if (!failures.isEmpty()) {
      throw new BackupException.Source(
          CoreFailure.SOURCE_CHECK_FAILED, String.join("; ", failures));
    }
    return sound;
  }

  private static List<String> failed(List<CheckResult> results) {
    return results.stream()
        .filter(r -> r.verdict() == CheckResult.Verdict.FAIL)
        .map(
            r ->
                r.id() + ": " + r.evidence() + (r.remedy().isEmpty() ? "" : " hint: " + r.remedy()))
        .toList();
  }

  private void skip(PlannedSource source, String why) {
    isPartial = true;
    Finding finding = new Finding(CoreFailure.SOURCE_SKIPPED, source.name().value(), why);
    findings.add(finding);
    context.listeners().tell(l -> l.found(run, finding));
  }

  /** Backs up. Returns if and only if the snapshot exists. */
  public BackupReport execute() throws IOException {
    List<PlannedSource> sources = checked();
    if (sources.isEmpty()) {
      throw new BackupException.Source(
          CoreFailure.SOURCE_FAILED, "no source is left to capture: " + findings);
    }
    LogView log = repository.log(keys.id().name());
    SnapshotName name = freeName(log);
    Epoch epoch = new Epochs(repository, keys, context.random()).current(plan.recipients());
    WriterState state = loadState(log, epoch);
    findings.addAll(state.findings());
    SnapshotId snapshot = new SnapshotId(run.value());
    Shelf shelf = new Shelf(repository.store(), keys.id().name(), state.index());
    try (Closing remembered = new Closing();
        PackPipeline pipeline = pipeline(epoch, state.index(), shelf)) {
      captureAll(sources, snapshot, state, epoch, pipeline, remembered);
      progress.begin("commit", 0);
      pipeline.flush();
      SnapshotEntry draft = store(name, snapshot, epoch, state, shelf);
      return report(commit(draft, epoch, state));
    }
  }

  private PackPipeline pipeline(Epoch epoch, ChunkIndex index, PackShelf shelf) {
    Recipient recipient = epoch.recipient();
    return new PackPipeline(
        new PackPipeline.Settings(
            plan.limits().memoryBytes(),
            plan.limits().parallelism(),
            plan.limits().compressionLevel(),
            plan.limits().blockBytes()),
        context.executor(),
        keys.chunkIdKey(),
        stored -> recipient.format().seal(stored, List.of(recipient)),
        index,
        shelf,
        stopping);
  }

  private WriterState loadState(LogView log, Epoch epoch) throws IOException {
    return WriterState.load(
        repository.store(), keys.stateIdentity(), newestState(log, epoch), keys.id().name());
  }

  /**
   * The writer's state as the newest snapshot of this epoch names it. That of another epoch is no
   * use: whoever opens this epoch need not be able to open its packs.
   */
  private static List<StateRef> newestState(LogView log, Epoch epoch) throws BackupException {
    for (int i = log.entries().size() - 1; i >= 0; i--) {
      Entry entry = log.entries().get(i).entry();
      if (SnapshotEntry.isSnapshot(entry) && SnapshotEntry.of(entry).isOf(epoch)) {
        return SnapshotEntry.of(entry).state();
      }
    }
    return List.of();
  }

  /**
   * The name that was asked for, which must be free; or else one made of the time, numbered where
   * two runs began in the same second.
   */
  private SnapshotName freeName(LogView log) throws BackupException {
    Map<SnapshotName, Instant> taken = names(log);
    if (request.name().isPresent()) {
      SnapshotName wanted = request.name().get();
      if (taken.containsKey(wanted)) {
        throw new BackupException.Refused(
            CoreFailure.NAME_CONFLICT,
            "there is a snapshot called %s of %s already".formatted(wanted, taken.get(wanted)));
      }
      return wanted;
    }
    SnapshotName first = SnapshotName.at(plan.name(), began);
    SnapshotName name = first;
    for (int number = 2; taken.containsKey(name); number++) {
      name = SnapshotName.of(first + "-" + number);
    }
    return name;
  }

  private static Map<SnapshotName, Instant> names(LogView log) throws BackupException {
    Map<SnapshotName, Instant> names = new HashMap<>();
    for (LogView.Standing standing : log.entries()) {
      if (SnapshotEntry.isSnapshot(standing.entry())) {
        names.put(SnapshotEntry.of(standing.entry()).name(), standing.entry().time());
      }
    }
    return names;
  }

  private void captureAll(
      List<PlannedSource> sources,
      SnapshotId snapshot,
      WriterState state,
      Epoch epoch,
      PackPipeline pipeline,
      Closing remembered)
      throws IOException {
    SourceCapture.Shared shared =
        new SourceCapture.Shared(
            context,
            run,
            snapshot,
            request.kind(),
            stopping,
            pipeline,
            List.of(keys.stateRecipient(), epoch.recipient()),
            captured,
            progress);
    try (Closing holds = new Closing()) {
      for (PlannedSource source : held(sources, holds)) {
        var session = new SourceCapture(shared, source, state.parent(source.name()));
        capture(source, remembered.add(session), pipeline);
      }
    }
  }

  /** Opens the hold of every source; returns the sources to capture. */
  private List<PlannedSource> held(List<PlannedSource> sources, Closing holds) throws IOException {
    List<PlannedSource> held = new ArrayList<>();
    for (PlannedSource source : sources) {
      try {
        Closeable hold = source.source().hold(holdContext());
        holds.add(() -> release(source, hold));
        held.add(source);
      } catch (IOException e) {
        stopping.check();
        failOrSkip(source, "hold", e);
      }
    }
    return held;
  }

  private static void release(PlannedSource source, Closeable hold) throws BackupException {
    try {
      hold.close();
    } catch (IOException e) {
      throw translated(source, "release of the hold", e);
    }
  }

  private HoldContext holdContext() {
    return new HoldContext() {
      @Override
      public RunId run() {
        return run;
      }

      @Override
      public Stopping stopping() {
        return stopping;
      }
    };
  }

  private void capture(PlannedSource source, SourceCapture session, PackPipeline pipeline)
      throws IOException {
    progress.begin("capture " + source.name(), 0);
    try {
      source.source().capture(session);
      session.complete();
    } catch (IOException e) {
      throwCause(pipeline);
      failOrSkip(source, "capture", e);
      return;
    } catch (UncheckedIOException e) {
      throwCause(pipeline);
      failOrSkip(source, "capture", Objects.requireNonNull(e.getCause()));
      return;
    } catch (RuntimeException mistake) {
      throwCause(pipeline);
      throw mistake;
    }
    captures.add(session);
    progress.end();
    CapturedSource result = session.result();
    captured.put(source.name(), result);
    findings.addAll(session.findings());
    context.listeners().tell(l -> l.sourceCaptured(run, result.header()));
  }

  /** A storage failure, or the end of the run, wins over what the source made of it. */
  private void throwCause(PackPipeline pipeline) throws IOException {
    pipeline.throwFailure();
    stopping.check();
  }

  private void failOrSkip(PlannedSource source, String what, IOException e) throws BackupException {
    if (!source.mayFail()) {
      throw translated(source, what, e);
    }
    skip(source, String.valueOf(e.getMessage()));
  }

  private static BackupException translated(PlannedSource source, String what, IOException e) {
    return e instanceof BackupException known
        ? known
        : new BackupException.Source(
            CoreFailure.SOURCE_FAILED,
            "%s of %s: %s".formatted(what, source.name(), e.getMessage()),
            e);
  }

  /** Everything that the entry will name. */
  private SnapshotEntry store(
      SnapshotName name, SnapshotId snapshot, Epoch epoch, WriterState state, Shelf shelf)
      throws IOException {
    if (captured.isEmpty()) {
      throw new BackupException.Source(
          CoreFailure.SOURCE_FAILED, "every source failed: " + findings);
    }
    PackLists lists = new PackLists(repository.store(), keys.id().name());
    List<SnapshotEntry.Part> parts = new ArrayList<>();
    for (SourceCapture capture : captures) {
      List<ObjectRef> packs = capture.packs().stream().mapToObj(state.index()::pack).toList();
      parts.add(new SnapshotEntry.Part(capture.result().header(), lists.write(packs)));
    }
    ObjectRef manifest = storeManifest(name, snapshot, epoch, state.index());
    return new SnapshotEntry(
        snapshot,
        name,
        plan.name(),
        began,
        outcome(),
        SnapshotEntry.keysOf(epoch),
        manifest,
        storeState(epoch, state, shelf),
        parts);
  }

  private Outcome outcome() {
    Outcome outcome = SourceCapture.outcome(findings);
    return isPartial ? outcome.worst(Outcome.PARTIAL) : outcome;
  }

  private ObjectRef storeManifest(
      SnapshotName name, SnapshotId snapshot, Epoch epoch, ChunkIndex index) throws IOException {
    try (SealedSpool spool = new SealedSpool(context.workspace(), List.of(epoch.recipient()))) {
      Manifest.Writer writer = new Manifest.Writer(spool.plain(), index::pack);
      writer.header(
          new Manifest.Header(
              snapshot,
              name.value(),
              plan.name(),
              keys.id().name(),
              began,
              outcome(),
              library(),
              findings.stream().map(Finding::toString).toList()));
      for (SourceCapture capture : captures) {
        writer.source(capture.result());
      }
      for (SourceCapture capture : captures) {
        for (Map.Entry<ArtifactName, Runs> runs : capture.runs().entrySet()) {
          writer.runs(capture.source(), runs.getKey(), runs.getValue());
        }
      }
      return repository.store().putManifest(keys.id().name(), spool.finish());
    }
  }

  private static String library() {
    String version = BackupRun.class.getPackage().getImplementationVersion();
    return version == null ? "unreleased" : version;
  }

  private List<StateRef> storeState(Epoch epoch, WriterState state, Shelf shelf)
      throws IOException {
    List<Recipient> to = List.of(keys.stateRecipient(), epoch.recipient());
    List<StateRef> mine = new ArrayList<>();
    boolean isMerge = isMerge(state);
    if (isMerge || shelf.count() > 0) {
      int firstPack = isMerge ? 0 : shelf.first();
      mine.add(new StateRef.Index(seal(to, out -> state.index().write(firstPack, out))));
    }
    for (SourceCapture capture : captures) {
      if (capture.outcome() == Outcome.GOOD) {
        rememberCapture(capture, to, mine);
      }
    }
    return mine;
  }

  private static boolean isMerge(WriterState state) {
    return state.indexParts().size() >= MAX_INDEX_PARTS;
  }

  private void rememberCapture(SourceCapture capture, List<Recipient> to, List<StateRef> mine)
      throws IOException {
    byte[] json = Manifest.remembered(capture.result());
    mine.add(new StateRef.Capture(capture.source(), seal(to, out -> out.write(json))));
    for (Map.Entry<ArtifactName, ObjectBody> copy : capture.remembered().entrySet()) {
      ObjectRef object = repository.store().putState(keys.id().name(), copy.getValue());
      mine.add(new StateRef.Artifact(capture.source(), copy.getKey(), object));
    }
  }

  @FunctionalInterface
  private interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  private ObjectRef seal(List<Recipient> to, Content content) throws IOException {
    try (SealedSpool spool = new SealedSpool(context.workspace(), to)) {
      content.writeTo(spool.plain());
      return repository.store().putState(keys.id().name(), spool.finish());
    }
  }

  /**
   * The commit. Another engine of this writer may have been first: then its state and ours are both
   * named, and packs, lists and manifest stay as they are.
   */
  private Entry commit(SnapshotEntry draft, Epoch epoch, WriterState state) throws IOException {
    stopping.check();
    Set<StateRef> merged = isMerge(state) ? Set.copyOf(state.indexParts()) : Set.of();
    return repository
        .commit(
            keys.id().name(),
            keys,
            context.random(),
            now -> {
              List<StateRef> joined = joined(newestState(now, epoch), merged, draft.state());
              return Optional.of(
                  named(draft, freeName(now), epoch, state.index(), joined).draft(epoch));
            })
        .orElseThrow();
  }

  /** The draft under this name, which may be another one since somebody else took its own. */
  private SnapshotEntry named(
      SnapshotEntry draft, SnapshotName name, Epoch epoch, ChunkIndex index, List<StateRef> state)
      throws IOException {
    ObjectRef manifest =
        name.equals(draft.name())
            ? draft.manifest()
            : storeManifest(name, draft.id(), epoch, index);
    return new SnapshotEntry(
        draft.id(),
        name,
        draft.plan(),
        draft.time(),
        draft.outcome(),
        draft.keys(),
        manifest,
        state,
        draft.parts());
  }

  private static List<StateRef> joined(
      List<StateRef> before, Set<StateRef> replaced, List<StateRef> mine) {
    Set<StateRef> joined = new LinkedHashSet<>();
    for (StateRef ref : before) {
      boolean isSuperseded =
          replaced.contains(ref)
              || mine.stream()
                  .anyMatch(m -> m instanceof StateRef.Capture c && ref.isOf(c.source()));
      if (!isSuperseded) {
        joined.add(ref);
      }
    }
    joined.addAll(mine);
    return List.copyOf(joined);
  }

  private BackupReport report(Entry entry) throws BackupException {
    progress.end();
    SnapshotEntry committed = SnapshotEntry.of(entry);
    return new BackupReport(
        run,
        committed.id(),
        committed.name(),
        committed.outcome(),
        findings,
        committed.parts().stream().map(SnapshotEntry.Part::header).toList(),
        Duration.between(began, context.clock().instant()));
  }

  /** Stores packs and tells the index their names. */
  private static final class Shelf implements PackShelf {
    private final StoreAccess store;
    private final String writer;
    private final ChunkIndex index;
    private final int first;

    Shelf(StoreAccess store, String writer, ChunkIndex index) {
      this.store = store;
      this.writer = writer;
      this.index = index;
      this.first = index.packCount();
    }

    @Override
    public int next() {
      return index.addPack();
    }

    @Override
    public void store(int pack, ObjectBody body) throws IOException {
      index.namePack(pack, store.putPack(writer, body));
    }

    int first() {
      return first;
    }

    int count() {
      return index.packCount() - first;
    }
  }

  /** The parent capture that an incremental would build on, for tests and previews. */
  Optional<CapturedSource> lastCaptured(SourceName source) {
    return Optional.ofNullable(captured.get(source));
  }
}
