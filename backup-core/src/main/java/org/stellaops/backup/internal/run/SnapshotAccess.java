package org.stellaops.backup.internal.run;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.bundle.BundleReport;
import org.stellaops.backup.bundle.BundleRequest;
import org.stellaops.backup.bundle.TarballReport;
import org.stellaops.backup.bundle.TarballRequest;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.Epochs;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RunLog;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CopyReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Freshness;
import org.stellaops.backup.model.LogHead;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.RecoverableRange;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.RepairReport;
import org.stellaops.backup.model.RepositoryReport;
import org.stellaops.backup.model.RestoreReport;
import org.stellaops.backup.model.RetrievalStatus;
import org.stellaops.backup.model.RunRecord;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SlotRange;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StorageReport;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.model.VerificationReport;
import org.stellaops.backup.model.VerificationReport.Depth;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.plan.CopyPlan;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.plan.RepairPlan;
import org.stellaops.backup.plan.RepairRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.RecordedStream;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.WriterKeys;

/**
 * Reads snapshots of a repository: list, verify, plan a restore, restore. Keeps the epochs it
 * opened, so that a passphrase or a token is asked once, until it is closed.
 */
public final class SnapshotAccess implements Closeable {
  private final Context context;
  private final Repository repository;
  private final List<Identity> owners;
  private final Optional<WriterKeys> keys;
  private final RestorePlannerFactory planners;
  private final Map<List<String>, Identity> epochs = new HashMap<>();

  /** Makes planners that know where sources came from. */
  @FunctionalInterface
  public interface RestorePlannerFactory {
    /** One for each plan. */
    RestorePlanner planner();
  }

  /**
   * Everything stays the caller's.
   *
   * @param owners identities to open snapshots with; may be none
   * @param keys sign records of verifications, where there are any
   */
  public SnapshotAccess(
      Context context,
      Repository repository,
      List<Identity> owners,
      Optional<WriterKeys> keys,
      RestorePlannerFactory planners) {
    this.context = context;
    this.repository = repository;
    this.owners = List.copyOf(owners);
    this.keys = keys;
    this.planners = planners;
  }

  /** The snapshots as the store has them now. */
  public SnapshotList list() throws IOException {
    return SnapshotList.read(repository);
  }

  /**
   * The same, of which every entry is read from the store and verified again: for what does more
   * than show them.
   */
  private SnapshotList listAfresh() throws IOException {
    return SnapshotList.read(repository.afresh());
  }

  /** Those that pass the filter now, newest first. */
  public List<SnapshotList.Known> matching(SnapshotFilter filter) throws IOException {
    return list().matching(filter, context.clock().instant());
  }

  private Identity epoch(SnapshotEntry snapshot, List<Identity> more) throws IOException {
    return epoch(snapshot.keys(), more, "snapshot " + snapshot.name());
  }

  /** Opens an epoch, or takes the one that is open already. */
  private synchronized Identity epoch(List<String> keyFields, List<Identity> more, String what)
      throws IOException {
    Identity open = epochs.get(keyFields);
    if (open == null) {
      List<Identity> candidates = new ArrayList<>(more);
      candidates.addAll(owners);
      if (candidates.isEmpty()) {
        throw new BackupException.Crypto(
            CoreFailure.KEY_UNAVAILABLE,
            "reading %s needs an identity; this process has none".formatted(what));
      }
      open = opened(keyFields, candidates);
      epochs.put(keyFields, open);
    }
    return open;
  }

  /** With what the entry carries, or else with what was sealed for others since. */
  private Identity opened(List<String> keyFields, List<Identity> candidates) throws IOException {
    try {
      return Epochs.open(keyFields, candidates);
    } catch (BackupException.Crypto e) {
      return Epochs.openLater(repository, keyFields, candidates).orElseThrow(() -> e);
    }
  }

  /** Verifies one snapshot and leaves a signed record where there are keys. */
  public VerificationReport verify(
      SnapshotList.Known snapshot, Verification depth, StopSignal stopping) throws IOException {
    return told(
        snapshot,
        new VerifyRun(context, repository, stopping, depth, this::epoch)
            .verify(snapshot, freshness(snapshot.log(), List.of())));
  }

  private VerificationReport told(SnapshotList.Known snapshot, VerificationReport report)
      throws IOException {
    VerificationReport told =
        keys.isPresent() && isWorthARecord(report)
            ? recorded(keys.get(), snapshot, report)
            : report;
    if (keys.isPresent() && report.verdict() == Verdict.DAMAGED) {
      DamageWord.tell(context, repository, keys.get(), report.findings());
    }
    context.listeners().tell(l -> l.verified(told));
    return told;
  }

  /** That a part is intact, or that everything has its size, makes no snapshot a verified one. */
  private static boolean isWorthARecord(VerificationReport report) {
    boolean isOfAllBytes = report.depth() != Depth.STRUCTURE && report.samples().isEmpty();
    return isOfAllBytes || report.verdict() == Verdict.DAMAGED;
  }

  /** What was measured is true whether or not it can be written down. */
  private VerificationReport recorded(
      WriterKeys by, SnapshotList.Known snapshot, VerificationReport report) throws IOException {
    try {
      VerificationLog.write(context, repository, by, snapshot.summary(), report);
      return report;
    } catch (BackupException e) {
      return report.noticing(
          new Finding(e.code(), "log/" + Names.VERIFY, "no record was left: " + e.detail()));
    }
  }

  /** Verifies every snapshot that passes; goes on whatever is found. */
  public List<VerificationReport> verifyAll(
      SnapshotFilter filter, Verification depth, StopSignal stopping) throws IOException {
    List<SnapshotList.Known> wanted = listAfresh().matching(filter, context.clock().instant());
    IdentityHashMap<SnapshotList.Known, VerificationReport> reports = new IdentityHashMap<>();
    for (SnapshotList.Known snapshot : SnapshotList.byWriter(wanted)) {
      reports.put(snapshot, verifyOrReport(snapshot, depth, stopping));
    }
    return wanted.stream().map(reports::get).toList();
  }

  private VerificationReport verifyOrReport(
      SnapshotList.Known snapshot, Verification depth, StopSignal stopping) throws IOException {
    try {
      return verify(snapshot, depth, stopping);
    } catch (BackupException.Stopped e) {
      throw e;
    } catch (IOException e) {
      return RepositoryCheck.unknown(snapshot, depth, e);
    }
  }

  /** Checks the whole repository. */
  public RepositoryReport check(Verification depth, StopSignal stopping) throws IOException {
    return new RepositoryCheck(context, repository, stopping, depth, this::epoch)
        .execute(
            listAfresh(),
            new RepositoryCheck.Each() {
              @Override
              public Freshness freshness(SnapshotList.Known snapshot) {
                return SnapshotAccess.this.freshness(snapshot.log(), List.of());
              }

              @Override
              public VerificationReport verified(
                  SnapshotList.Known snapshot, VerificationReport report) throws IOException {
                return told(snapshot, report);
              }
            });
  }

  /** What a repair would do. */
  public RepairPlan planRepair(RepairRequest request, StopSignal stopping) throws IOException {
    return new RepairRun(context, repository, stopping)
        .plan(request, listAfresh(), this::epoch, snapshot -> freshness(snapshot.log(), List.of()));
  }

  /** Carries out the plan of a repair. */
  public RepairReport repair(RepairPlan plan, Confirmation consent, StopSignal stopping)
      throws IOException {
    return new RepairRun(context, repository, stopping).repair(plan, consent);
  }

  /** How new the logs of the writers are, as far as it can be told. */
  public List<Freshness> freshness() throws IOException {
    List<LogView> logs = list().logs();
    return logs.stream()
        .filter(log -> !Names.isCommon(log.log()) && !log.entries().isEmpty())
        .map(log -> freshness(log, logs))
        .toList();
  }

  private Freshness freshness(LogView log, List<LogView> others) {
    Entry newest = log.entries().get(log.entries().size() - 1).entry();
    LogHead head = new LogHead(log.log(), newest.sequence(), newest.digest());
    Freshness.Evidence evidence =
        repository.wasKnown(log.log())
            ? Freshness.Evidence.REMEMBERED
            : HeadWitnesses.isWitnessed(head, others)
                ? Freshness.Evidence.WITNESSED
                : Freshness.Evidence.NONE;
    return new Freshness(head, newestCommit(log), evidence);
  }

  /** Of a log in which nothing was committed: since when nothing was. */
  private static Instant newestCommit(LogView log) {
    for (int i = log.entries().size() - 1; i >= 0; i--) {
      Entry entry = log.entries().get(i).entry();
      if (SnapshotEntry.isSnapshot(entry)) {
        return entry.time();
      }
    }
    return log.entries().get(0).entry().time();
  }

  /** Everything in the logs that is not as it should be. */
  public List<Finding> damage() throws IOException {
    List<Finding> damage = new ArrayList<>();
    for (LogView log : listAfresh().logs()) {
      damage.addAll(log.damage());
      if (Names.isWriter(log.log())) {
        damage.addAll(RunLog.of(log, repository.isPinned()).damage());
      }
    }
    Streams.now(repository).all().forEach(log -> damage.addAll(log.damage()));
    return List.copyOf(damage);
  }

  /** What is in the store, and how it grows. */
  public StorageReport storage(StopSignal stopping) throws IOException {
    return new StorageSurvey(repository, context.clock().instant(), stopping).report(list());
  }

  /** What a copy would do. */
  public CopyPlan planCopy(CopyRequest request, StopSignal stopping) throws IOException {
    return new CopyRun(context, repository, StoreRole.COPY, stopping).plan(request);
  }

  /** Copies what is missing. */
  public CopyReport copy(CopyRequest request, StopSignal stopping) throws IOException {
    CopyReport report = new CopyRun(context, repository, StoreRole.COPY, stopping).copy(request);
    context.listeners().tell(l -> l.copied(report));
    return report;
  }

  /** Slots that this copy does not hold, log by log. */
  public List<SlotRange> notHeld() throws IOException {
    List<SlotRange> notHeld = new ArrayList<>();
    list().logs().forEach(log -> notHeld.addAll(log.notHeld()));
    Streams.now(repository).all().forEach(log -> notHeld.addAll(log.notHeld()));
    return List.copyOf(notHeld);
  }

  /** The runs of all writers, newest first. */
  public List<RunRecord> runs() throws IOException {
    Instant now = context.clock().instant();
    List<RunRecord> runs = new ArrayList<>();
    for (LogView log : list().logs()) {
      if (Names.isWriter(log.log())) {
        for (RunLog.Known run : RunLog.of(log, repository.isPinned()).all()) {
          boolean isSilent =
              run.record().isOpen() && Silence.isLikely(repository.store(), run, now);
          runs.add(isSilent ? run.record().silent() : run.record());
        }
      }
    }
    runs.sort(Comparator.comparing(RunRecord::began).reversed());
    return List.copyOf(runs);
  }

  /** What is recorded of each stream. */
  public List<Coverage> streams() throws IOException {
    return Streams.now(repository).all().stream().flatMap(l -> l.coverage().stream()).toList();
  }

  /** The instants to which a source can be taken, oldest snapshot first. */
  public List<RecoverableRange> recoverable(SourceName source) throws IOException {
    Streams streams = Streams.now(repository);
    List<RecoverableRange> ranges = new ArrayList<>();
    for (SnapshotList.Known known : list().believed()) {
      known.summary().captures().stream()
          .filter(c -> c.source().equals(source) && c.outcome() == Outcome.GOOD)
          .flatMap(c -> c.span().stream())
          .forEach(span -> ranges.add(0, range(known.summary().id(), source, span, streams)));
    }
    return ranges;
  }

  private static RecoverableRange range(
      SnapshotId snapshot, SourceName source, CaptureSpan span, Streams streams) {
    Optional<SliceSpan> onward =
        streams
            .of(span.end().lineage())
            .flatMap(StreamLog::coverage)
            .flatMap(c -> c.onwardFrom(span.end()));
    return new RecoverableRange(
        snapshot,
        source,
        span.recoverableFrom(),
        onward.flatMap(SliceSpan::lastTime).filter(t -> !t.isBefore(span.recoverableFrom())),
        onward.map(SliceSpan::to).orElse(span.end()));
  }

  /** What the manifest says was captured. */
  public List<CapturedSource> contents(SnapshotRef ref, List<Identity> more, StopSignal stopping)
      throws IOException {
    SnapshotList.Known snapshot = listAfresh().require(ref);
    Identity epoch = epoch(snapshot.entry(), more);
    return new SnapshotReader(context, repository.store(), snapshot, epoch, stopping).sources();
  }

  /** Writes a bundle. */
  public BundleReport writeBundle(BundleRequest request, StopSignal stopping) throws IOException {
    SnapshotList list = listAfresh();
    List<SnapshotList.Known> chosen = new ArrayList<>();
    for (SnapshotRef ref : request.snapshots()) {
      SnapshotList.Known one = list.require(ref);
      if (chosen.stream().noneMatch(c -> c.summary().id().equals(one.summary().id()))) {
        chosen.add(one);
      }
    }
    List<Identity> by = new ArrayList<>(request.identities());
    by.addAll(owners);
    return new BundleRun(context, repository, repository.trust(), stopping)
        .execute(request, list, chosen, by);
  }

  /** Makes a tarball of a snapshot. */
  public TarballReport exportTarball(TarballRequest request, StopSignal stopping)
      throws IOException {
    SnapshotList.Known snapshot = listAfresh().require(request.snapshot());
    Identity epoch = epoch(snapshot.entry(), request.identities());
    SnapshotReader reader =
        new SnapshotReader(context, repository.store(), snapshot, epoch, stopping);
    List<CapturedSource> sources = reader.sources();
    requireNotRetired(sources, snapshot.summary());
    ProgressMeter progress =
        new ProgressMeter(BackupRun.newRun(context), context.clock(), context.listeners());
    return new TarballRun(request, reader, snapshot.summary().time(), stopping, progress)
        .execute(sources);
  }

  /** What a restore would do. */
  public RestorePlan planRestore(RestoreRequest request, StopSignal stopping) throws IOException {
    SnapshotList list = listAfresh();
    Replay replay =
        request.point().isPresent()
            ? new Replay(request, Streams.now(repository))
            : new Replay(request, Streams.asOf(repository, Map.of()));
    if (request.snapshot() instanceof SnapshotRef.Reaching reaching) {
      return planFrom(list, candidates(list, reaching, request), request, replay, stopping);
    }
    return plan(list, list.require(request.snapshot()), request, replay, stopping);
  }

  private static List<SnapshotList.Known> candidates(
      SnapshotList list, SnapshotRef.Reaching reaching, RestoreRequest request)
      throws BackupException.Refused {
    List<SnapshotList.Known> candidates = list.reaching(reaching.point(), request.only());
    if (candidates.isEmpty()) {
      throw new BackupException.Refused(
          CoreFailure.POINT_TOO_EARLY,
          "no good snapshot leads to %s; hint: %s"
              .formatted(reaching.point(), list.earliest(request.only())));
    }
    return candidates;
  }

  /**
   * From the newest snapshot that the point is not too early for: one that was captured on another
   * branch than the one that leads to the point is.
   */
  private RestorePlan planFrom(
      SnapshotList list,
      List<SnapshotList.Known> candidates,
      RestoreRequest request,
      Replay replay,
      StopSignal stopping)
      throws IOException {
    RestorePlan plan = plan(list, candidates.get(0), request, replay, stopping);
    for (int i = 1; i < candidates.size() && isTooEarly(plan); i++) {
      plan = plan(list, candidates.get(i), request, replay, stopping);
    }
    return plan;
  }

  private static boolean isTooEarly(RestorePlan plan) {
    return plan.blockers().stream().anyMatch(b -> b.code() == CoreFailure.POINT_TOO_EARLY);
  }

  private RestorePlan plan(
      SnapshotList list,
      SnapshotList.Known snapshot,
      RestoreRequest request,
      Replay replay,
      StopSignal stopping)
      throws IOException {
    Optional<Finding> cold = cold(list, snapshot, request, stopping);
    Opened opened = open(list, snapshot, request, stopping);
    return blockedBy(
        cold,
        planners
            .planner()
            .plan(snapshot, opened.selected(), opened.chains(), request, opened::open, replay));
  }

  /** What is to be retrieved first; without manifests there is no plan that could say so. */
  private Optional<Finding> cold(
      SnapshotList list, SnapshotList.Known snapshot, RestoreRequest request, StopSignal stopping)
      throws IOException {
    Optional<StoreAbility.Retrieval> retrieval = repository.store().retrieval();
    if (retrieval.isEmpty()) {
      return Optional.empty();
    }
    ColdObjects objects = new ColdObjects(retrieval.get(), repository, stopping);
    RetrievalStatus status = objects.look(list, snapshot, request);
    if (status.isReady()) {
      return Optional.empty();
    }
    Finding blocker = ColdObjects.blocker(snapshot, status);
    if (!objects.canBePlanned()) {
      throw new BackupException.Refused(
          CoreFailure.NOT_RETRIEVED,
          "snapshot %s: %s; hint: warmUp asks for it"
              .formatted(snapshot.summary().name(), blocker.found()),
          List.of(blocker));
    }
    return Optional.of(blocker);
  }

  private static RestorePlan blockedBy(Optional<Finding> cold, RestorePlan plan) {
    if (cold.isEmpty()) {
      return plan;
    }
    List<Finding> blockers = new ArrayList<>(plan.blockers());
    blockers.add(cold.get());
    return plan.with(blockers);
  }

  /** What of a restore cannot be read at once. */
  public RetrievalStatus retrieval(RestoreRequest request, StopSignal stopping) throws IOException {
    SnapshotList list = listAfresh();
    SnapshotList.Known snapshot = list.require(request.snapshot());
    Optional<StoreAbility.Retrieval> retrieval = repository.store().retrieval();
    return retrieval.isEmpty()
        ? new RetrievalStatus(0, 0, 0, 0, true)
        : new ColdObjects(retrieval.get(), repository, stopping).look(list, snapshot, request);
  }

  /** Asks for what of a restore is cold. */
  public RetrievalStatus warmUp(RestoreRequest request, Duration readable, StopSignal stopping)
      throws IOException {
    SnapshotList list = listAfresh();
    SnapshotList.Known snapshot = list.require(request.snapshot());
    Optional<StoreAbility.Retrieval> retrieval = repository.store().retrieval();
    return retrieval.isEmpty()
        ? new RetrievalStatus(0, 0, 0, 0, true)
        : new ColdObjects(retrieval.get(), repository, stopping)
            .request(list, snapshot, request, readable);
  }

  /** What is to be replayed: up to the point of a request, from the streams at some moment. */
  private final class Replay implements RestorePlanner.Replays {
    private final RestoreRequest request;
    private final Streams streams;
    private final Map<String, RecordedStream> recorded = new HashMap<>();

    Replay(RestoreRequest request, Streams streams) {
      this.request = request;
      this.streams = streams;
    }

    @Override
    public Optional<RecoveryPoint> point() {
      return request.point();
    }

    @Override
    public Map<String, Long> heads() {
      return streams.heads();
    }

    @Override
    public Optional<RecordedStream> recorded(CapturedSource source) {
      return source
          .header()
          .span()
          .flatMap(span -> streams.of(span.end().lineage()))
          .map(log -> recorded.computeIfAbsent(log.log(), name -> replay(log)));
    }

    private RecordedStream replay(StreamLog log) {
      return new StreamReplay(repository.store(), log, epoch -> epochOf(log, epoch));
    }

    private Identity epochOf(StreamLog log, String epoch) throws IOException {
      List<String> fields = repository.keysOf(log, epoch);
      return epoch(fields, request.identities(), "stream " + log.log());
    }
  }

  /**
   * What of a snapshot is to be read, its parents included.
   *
   * @param selected the sources that were asked for
   * @param chains for each of them the captures to restore, full first
   * @param readers by snapshot
   */
  private record Opened(
      List<CapturedSource> selected,
      Map<SourceName, List<CapturedSource>> chains,
      Map<SnapshotId, SnapshotReader> readers) {
    /** The plain bytes of an artifact. The caller closes. */
    InputStream open(CapturedSource source, ArtifactName artifact) throws IOException {
      SnapshotReader reader = readers.get(source.header().snapshot());
      if (reader == null) {
        throw new AssertionError("a reader was made for every snapshot of the chain");
      }
      return reader.open(source.header().source(), SnapshotReader.artifact(source, artifact));
    }
  }

  private Opened open(
      SnapshotList list, SnapshotList.Known snapshot, RestoreRequest request, StopSignal stopping)
      throws IOException {
    Map<SnapshotId, SnapshotReader> readers = new HashMap<>();
    Map<SnapshotId, List<CapturedSource>> contents = new HashMap<>();
    read(snapshot, request, stopping, readers, contents);
    List<CapturedSource> selected =
        new Selection<CapturedSource>(
                contents.getOrDefault(snapshot.summary().id(), List.of()),
                s -> s.header().source(),
                s -> s.header().component())
            .of(request.only());
    requireNotRetired(selected, snapshot.summary());
    Map<SourceName, List<CapturedSource>> chains = new LinkedHashMap<>();
    for (CapturedSource source : selected) {
      List<CapturedSource> chain = new ArrayList<>(List.of(source));
      while (chain.get(0).header().isIncremental()) {
        SnapshotId parent = chain.get(0).header().parents().get(0);
        requireOther(chain, parent);
        if (!contents.containsKey(parent)) {
          read(list.requireAny(parent), request, stopping, readers, contents);
        }
        chain.add(
            0,
            ofSource(contents.getOrDefault(parent, List.of()), source.header().source(), parent));
      }
      chains.put(source.header().source(), List.copyOf(chain));
    }
    return new Opened(selected, chains, readers);
  }

  private static void requireNotRetired(List<CapturedSource> selected, SnapshotSummary snapshot)
      throws BackupException.Refused {
    for (CapturedSource source : selected) {
      String why = snapshot.retired().get(source.header().source());
      if (why != null) {
        throw new BackupException.Refused(
            CoreFailure.RETIRED,
            "source %s of snapshot %s was retired: %s; hint: until it is swept it can be recalled, and the others can be restored by name"
                .formatted(source.header().source(), snapshot.name(), why));
      }
    }
  }

  /** A writer that nobody trusts may say that a snapshot builds on itself. */
  private static void requireOther(List<CapturedSource> chain, SnapshotId parent)
      throws BackupException {
    if (chain.stream().anyMatch(c -> c.header().snapshot().equals(parent))) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "snapshot %s says of its source %s that it builds on itself"
              .formatted(parent, chain.get(0).header().source()));
    }
  }

  private void read(
      SnapshotList.Known snapshot,
      RestoreRequest request,
      StopSignal stopping,
      Map<SnapshotId, SnapshotReader> readers,
      Map<SnapshotId, List<CapturedSource>> contents)
      throws IOException {
    Identity epoch = epoch(snapshot.entry(), request.identities());
    SnapshotReader reader =
        new SnapshotReader(context, repository.store(), snapshot, epoch, stopping);
    readers.put(snapshot.summary().id(), reader);
    contents.put(snapshot.summary().id(), reader.sources());
  }

  private static CapturedSource ofSource(
      List<CapturedSource> sources, SourceName name, SnapshotId parent) throws BackupException {
    return sources.stream()
        .filter(s -> s.header().source().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new BackupException.Corrupt(
                    CoreFailure.OBJECT_NOT_FOUND,
                    "parent snapshot %s has no source %s".formatted(parent, name)));
  }

  /** Carries out a plan, if it is the one that was consented to and nothing has changed since. */
  public RestoreReport restore(RestorePlan plan, Confirmation consent, StopSignal stopping)
      throws IOException {
    if (!consent.of().equals(plan.digest())) {
      throw new BackupException.Refused(
          CoreFailure.PLAN_STALE,
          "consent is to %s, the plan is %s".formatted(consent.of(), plan.digest()));
    }
    SnapshotList list = listAfresh();
    SnapshotList.Known snapshot = list.require(plan.snapshot());
    Opened opened = open(list, snapshot, plan.request(), stopping);
    RestorePlanner planner = planners.planner();
    Replay replay = new Replay(plan.request(), Streams.asOf(repository, plan.streams()));
    RestorePlan now =
        blockedBy(
            cold(list, snapshot, plan.request(), stopping),
            planner.plan(
                snapshot,
                opened.selected(),
                opened.chains(),
                plan.request(),
                opened::open,
                replay));
    if (!now.digest().equals(plan.digest())) {
      throw new BackupException.Refused(
          CoreFailure.PLAN_STALE,
          "something changed since the restore was planned; now:\n" + now.describe());
    }
    if (!now.isPossible()) {
      throw new BackupException.Refused(
          CoreFailure.BLOCKED,
          "restore of %s: %s".formatted(plan.snapshot(), now.blockers()),
          now.blockers());
    }
    RestoreReport report =
        new RestoreRun(
                context,
                opened.readers(),
                opened.chains(),
                replay,
                planner.bind(opened.selected(), plan.request()),
                stopping,
                BackupRun.newRun(context))
            .execute(snapshot);
    context.listeners().tell(l -> l.restoreFinished(report));
    return report;
  }

  /** The one snapshot that is meant, read from the store. */
  public SnapshotList.Known require(SnapshotRef ref) throws IOException {
    return listAfresh().require(ref);
  }

  @Override
  public synchronized void close() {
    epochs.values().forEach(Identity::close);
    epochs.clear();
  }
}
