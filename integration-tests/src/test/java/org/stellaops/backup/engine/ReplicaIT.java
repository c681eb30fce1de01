package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.RunningStream;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CopyReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.ReplicationStatus;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.plan.PlanInvalid;
import org.stellaops.backup.plan.PromotionPlan;
import org.stellaops.backup.plan.PromotionRequest;
import org.stellaops.backup.plan.ReplicationPolicy;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.store.ForwardingStore;
import org.stellaops.backup.store.LabelledSink;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.MemorySink;

/** Replicas follow their primary, and whatever is in too few places is told. */
class ReplicaIT {
  @TempDir Path root;
  private final MemorySink primary = new MemorySink();
  private final MemorySink replica = new MemorySink();
  private final List<Finding> told = new ArrayList<>();
  private AgeIdentity owner;
  private Host host;
  private Pruning pruning;

  @BeforeEach
  void make() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), primary).withKeys();
    pruning = new Pruning(host).withKeys();
  }

  @AfterEach
  void nothingIsOpen() {
    owner.close();
    primary.assertNothingOpen();
    replica.assertNothingOpen();
  }

  private BackupPlan.Builder plan(long seed) throws IOException {
    return host.plan(primary).source(Host.SOURCE, PruneIT.content(seed)).janitor(pruning.keys());
  }

  private BackupEngine open(BackupPlan.Builder plan) throws IOException {
    return host.with(plan.build())
        .listener(
            new BackupListener() {
              @Override
              public void found(RunId run, Finding finding) {
                told.add(finding);
              }
            })
        .open();
  }

  private BackupReport backUp(long seed, BackupSink... replicas) throws IOException {
    BackupPlan.Builder plan = plan(seed);
    List.of(replicas).forEach(plan::replica);
    try (BackupEngine engine = open(plan)) {
      return engine.backup(BackupRequest.full().named("n" + seed));
    }
  }

  private BackupRepository at(BackupSink sink) throws IOException {
    return BackupRepository.at(sink)
        .identity(owner)
        .trust(pruning.trust())
        .executor(Runnable::run)
        .open();
  }

  private void assertHolds(BackupSink sink, long... seeds) throws IOException {
    try (BackupRepository repository = at(sink)) {
      assertEquals(seeds.length, repository.catalog().list(SnapshotFilter.all()).size());
      for (long seed : seeds) {
        Host.assertComplete(
            repository, SnapshotRef.named("n" + seed), PruneIT.content(seed), owner);
      }
      var report = repository.check(Verification.full(owner));
      assertTrue(report.isIntact(), report.toString());
      assertEquals(List.of(), repository.catalog().damage());
    }
  }

  @Test
  void what_is_committed_is_in_the_replica_when_the_run_is_over() throws IOException {
    backUp(1, replica).requireGood();
    backUp(2, replica).requireGood();
    assertHolds(replica, 1, 2);
    try (BackupEngine engine = open(plan(2).replica(replica))) {
      ReplicationStatus status = engine.replication();
      assertTrue(status.isMet(), status.toString());
      assertEquals(List.of(2L, 2L), status.stores().stream().map(s -> s.holds()).toList());
    }
  }

  @Test
  void a_replica_that_fails_leaves_the_snapshot_and_is_brought_up_by_the_next_run()
      throws IOException {
    FaultPlan gone = FaultPlan.failing(1, FaultPlan.When.BEFORE).andEverAfter();
    BackupReport report = backUp(1, gone.on(replica));
    assertEquals(Outcome.DEGRADED, report.outcome());
    assertEquals(
        List.of(CoreFailure.UNDER_REPLICATED),
        report.findings().stream().map(Finding::code).toList());
    assertEquals(report.findings(), told);
    assertHolds(primary, 1);
    try (BackupEngine engine = open(plan(1).replica(gone.on(replica)))) {
      ReplicationStatus status = engine.replication();
      assertFalse(status.isMet());
      assertEquals(report.snapshot(), status.underReplicated().get(0).snapshot());
      assertEquals(1, status.findings().size(), "the replica could not be asked");
    }
    backUp(2, replica).requireGood();
    assertHolds(replica, 1, 2);
  }

  @Test
  void places_that_do_not_differ_count_as_one() throws IOException {
    ReplicationPolicy twoRegions = ReplicationPolicy.copies(2).distinct("region");
    BackupSink here = LabelledSink.of(primary, "region", "eu");
    for (String other : List.of("eu", "us")) {
      BackupPlan.Builder plan =
          host.plan(here)
              .source(Host.SOURCE, PruneIT.content(1))
              .replica(LabelledSink.of(replica, "region", other))
              .replicate(twoRegions);
      try (BackupEngine engine = open(plan)) {
        BackupReport report = engine.backup(BackupRequest.full());
        boolean isMet = other.equals("us");
        assertEquals(isMet ? Outcome.GOOD : Outcome.DEGRADED, report.outcome(), other);
        assertEquals(isMet, engine.replication().isMet());
      }
    }
    PlanInvalid invalid =
        assertThrows(
            PlanInvalid.class, () -> plan(1).replicate(ReplicationPolicy.copies(2)).build());
    assertTrue(invalid.getMessage().contains("0 replicas"), invalid.getMessage());
  }

  @Test
  void what_retention_removed_goes_from_the_replica_and_nothing_else() throws IOException {
    backUp(1, replica);
    backUp(2, replica);
    pruning.prune(1);
    Set<ObjectName> before = new TreeSet<>(replica.raw().names());
    backUp(3, replica).requireGood();
    assertTrue(replica.raw().names().containsAll(before), "doomed, and not yet swept");
    assertHolds(replica, 2, 3);
    assertTrue(pruning.prune(2).deletedObjects() > 0);
    ObjectName returned =
        before.stream()
            .filter(n -> n.value().contains("/packs/"))
            .filter(n -> !primary.snapshot().containsKey(n))
            .findFirst()
            .orElseThrow();
    primary.raw().write(returned, replica.raw().read(returned));
    backUp(4, replica).requireGood();
    assertHolds(replica, 2, 3, 4);
    Set<ObjectName> only = new TreeSet<>(replica.raw().names());
    only.removeAll(primary.raw().names());
    assertEquals(Set.of(), only, "what the primary removed is gone");
    assertTrue(
        replica.raw().names().contains(returned), "what it has, for whatever reason, is not");
    Set<ObjectName> lacking = new TreeSet<>(primary.raw().names());
    lacking.removeAll(replica.raw().names());
    lacking.removeIf(n -> n.value().startsWith("log/host-a/") || n.value().startsWith("beat/"));
    assertEquals(Set.of(), lacking, "entries of runs stay in the primary");
  }

  @Test
  void whoever_pins_nobody_for_retention_removes_nothing() throws IOException {
    backUp(1, replica);
    pruning.prune(1);
    backUp(2, replica);
    pruning.prune(1);
    backUp(3);
    pruning.prune(1);
    try (BackupRepository nobody = BackupRepository.at(primary).open()) {
      CopyReport report = nobody.copy(CopyRequest.to(replica).followingDeletions());
      assertEquals(0, report.removed());
    }
    try (BackupRepository repository = at(primary)) {
      assertTrue(repository.copy(CopyRequest.to(replica).followingDeletions()).removed() > 0);
    }
    assertHolds(replica, 3);
  }

  @Test
  void a_recorded_history_comes_along_from_where_the_capture_needs_it() throws Exception {
    captureAndRecord("a", 0, 10, 0, 100);
    captureAndRecord("b", 100, 110, 100, 200);
    try (BackupRepository repository = at(primary)) {
      repository.copy(CopyRequest.to(replica).only(SnapshotRef.named("b"))).requireComplete();
    }
    try (BackupRepository copy = at(replica)) {
      assertEquals(List.of(ToyLog.span(1, 100, 200)), copy.catalog().streams().get(0).ranges());
      assertEquals(List.of(), copy.catalog().damage());
      assertTrue(copy.check(Verification.full(owner)).isIntact());
      assertTrue(
          copy.catalog().notHeld().stream().anyMatch(r -> r.log().equals(StreamHost.LOG)),
          "the history before it");
      ReplayTarget target = new ReplayTarget();
      var plan =
          copy.planRestore(
              RestoreRequest.of(SnapshotRef.named("b"))
                  .upTo(RecoveryPoint.latest())
                  .target(Host.SOURCE, target));
      assertTrue(plan.isPossible(), plan.describe());
    }
    captureAndRecord("c", 200, 210, 200, 230);
    try (BackupRepository repository = at(primary)) {
      repository.copy(CopyRequest.to(replica)).requireComplete();
    }
    try (BackupRepository copy = at(replica)) {
      assertEquals(List.of(ToyLog.span(1, 0, 230)), copy.catalog().streams().get(0).ranges());
      assertTrue(copy.check(Verification.full(owner)).isIntact());
    }
  }

  @Test
  void entries_of_a_history_go_from_the_replica_as_they_went_from_the_primary() throws Exception {
    captureAndRecord(
        host,
        pruning,
        "a",
        0,
        10,
        session -> {
          ScriptedStream.append(session, 1, 0, 10);
          session.gap(new StreamGap(ToyLog.at(1, 10), ToyLog.at(1, 30), "it was removed"));
          ScriptedStream.append(session, 1, 30, 40);
          session.gap(new StreamGap(ToyLog.at(1, 40), ToyLog.at(1, 50), "it was removed"));
        });
    captureAndRecord("b", 50, 60, 50, 60);
    try (BackupRepository repository = at(primary)) {
      repository.copy(CopyRequest.to(replica)).requireComplete();
    }
    pruning.prune(1);
    captureAndRecord("c", 60, 70, 60, 70);
    assertTrue(pruning.prune(2).isOk());
    try (BackupRepository repository = at(primary)) {
      repository.copy(CopyRequest.to(replica).followingDeletions()).requireComplete();
    }
    for (MemorySink sink : List.of(primary, replica)) {
      assertEquals(
          2,
          sink.raw().names().stream()
              .filter(n -> n.value().startsWith("log/" + StreamHost.LOG + "/"))
              .count());
      try (BackupRepository repository = at(sink)) {
        assertEquals(
            List.of(ToyLog.span(1, 50, 70)), repository.catalog().streams().get(0).ranges());
        assertEquals(List.of(), repository.catalog().damage());
        assertTrue(repository.check(Verification.full(owner)).isIntact());
      }
    }
  }

  private void captureAndRecord(String name, long start, long end, long from, long to)
      throws Exception {
    captureAndRecord(
        host,
        pruning,
        name,
        start,
        end,
        session -> {
          for (long at = from; at < to; at += 10) {
            ScriptedStream.append(session, 1, at, at + 10);
          }
        });
  }

  /** Backs up a capture that stands there, then records what the script says. */
  static void captureAndRecord(
      Host host, Pruning pruning, String name, long start, long end, ScriptedStream.Follow script)
      throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    BackupPlan plan =
        host.plan(host.sink).source(Host.SOURCE, StreamHost.capture(1, start, end)).stream(
                StreamHost.STREAM, ScriptedStream.doing(script, done))
            .janitor(pruning.keys())
            .build();
    try (BackupEngine engine = host.with(plan).open()) {
      engine.backup(BackupRequest.full().named(name)).requireGood();
      engine.stream(StreamHost.STREAM);
      assertTrue(done.await(120, TimeUnit.SECONDS));
    }
  }

  /** Until a replica holds all that is recorded. */
  static ReplicationStatus awaitUpToDate(BackupEngine engine) throws Exception {
    Instant end = Instant.now().plusSeconds(120);
    ReplicationStatus status = engine.replication();
    while (!status.streams().stream().allMatch(s -> s.isUpToDate() && s.held().isPresent())) {
      assertTrue(Instant.now().isBefore(end), status.toString());
      Thread.sleep(20);
      status = engine.replication();
    }
    return status;
  }

  private static ScriptedStream.Follow tens(long from, long to) {
    return session -> {
      for (long at = from; at < to; at += 10) {
        ScriptedStream.append(session, 1, at, at + 10);
      }
    };
  }

  private BackupPlan streaming(ScriptedStream stream, BackupSink to) throws IOException {
    return host.plan(primary).source(Host.SOURCE, StreamHost.capture(1, 0, 10)).stream(
            StreamHost.STREAM, stream)
        .replica(to)
        .janitor(pruning.keys())
        .build();
  }

  private void assertReplicaHolds(long to) throws IOException {
    try (BackupRepository copy = at(replica)) {
      assertEquals(List.of(ToyLog.span(1, 0, to)), copy.catalog().streams().get(0).ranges());
      assertEquals(List.of(), copy.catalog().damage());
      assertTrue(copy.check(Verification.full(owner)).isIntact());
    }
  }

  @Test
  void what_is_recorded_reaches_replicas_without_another_run() throws Exception {
    CountDownLatch recorded = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    CountDownLatch merged = new CountDownLatch(1);
    ScriptedStream stream =
        ScriptedStream.doing(
            session -> {
              tens(0, 100).follow(session);
              recorded.countDown();
              awaited(goOn);
              tens(100, 200).follow(session);
              ScriptedStream.merge(session, 1, 0, 200);
            },
            merged);
    try (BackupEngine engine = host.with(streaming(stream, replica)).open()) {
      engine.backup(BackupRequest.full().named("a")).requireGood();
      assertEquals(Optional.empty(), engine.replication().streams().get(0).held());
      engine.stream(StreamHost.STREAM);
      awaited(recorded);
      ReplicationStatus status = awaitUpToDate(engine);
      assertEquals(Optional.of(ToyLog.at(1, 100)), status.streams().get(0).recorded());
      assertReplicaHolds(100);
      goOn.countDown();
      awaited(merged);
    }
    // What ends is sent before.
    assertReplicaHolds(200);
  }

  static void awaited(CountDownLatch latch) throws IOException {
    try {
      assertTrue(latch.await(60, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  @Test
  void a_replica_that_hangs_or_fails_keeps_no_stream_waiting_and_is_brought_up_later()
      throws Exception {
    CountDownLatch healed = new CountDownLatch(1);
    AtomicBoolean isFailing = new AtomicBoolean();
    BackupSink slow =
        HookedStore.on(
            replica,
            operation -> {
              if (operation.contains("/stream/")) {
                awaited(healed);
              }
              if (isFailing.get()) {
                throw new BackupException.Sink(
                    CoreFailure.SINK_FAILED, BackupException.Sink.Reason.TRANSIENT, operation);
              }
            });
    CountDownLatch recorded = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    CountDownLatch again = new CountDownLatch(1);
    CountDownLatch more = new CountDownLatch(1);
    ScriptedStream stream =
        ScriptedStream.doing(
            session -> {
              tens(0, 3_000).follow(session);
              recorded.countDown();
              awaited(goOn);
              awaited(again);
              tens(3_000, 3_010).follow(session);
            },
            more);
    try (BackupEngine engine = host.with(streaming(stream, slow)).open()) {
      engine.backup(BackupRequest.full().named("a")).requireGood();
      RunningStream running = engine.stream(StreamHost.STREAM);
      try {
        awaited(recorded); // while the replica hangs, and more waits than is kept
        assertReplicaHoldsNothing();
        healed.countDown();
        awaitUpToDate(engine);
        assertReplicaHolds(3_000);
      } finally {
        healed.countDown();
        goOn.countDown();
      }
      isFailing.set(true);
      again.countDown();
      awaited(more);
      Instant end = Instant.now().plusSeconds(120);
      while (running.status().findings().isEmpty()) {
        assertTrue(Instant.now().isBefore(end), "nobody is told");
        Thread.sleep(20);
      }
      assertEquals(CoreFailure.UNDER_REPLICATED, running.status().findings().get(0).code(), "told");
      assertFalse(engine.replication().streams().get(0).isUpToDate());
      isFailing.set(false);
      awaitUpToDate(engine);
    }
    assertReplicaHolds(3_010);
  }

  @Test
  void what_is_recorded_does_not_reach_a_replica_that_became_the_primary() throws Exception {
    CountDownLatch goOn = new CountDownLatch(1);
    CountDownLatch first = new CountDownLatch(1);
    CountDownLatch recorded = new CountDownLatch(1);
    ScriptedStream stream =
        ScriptedStream.doing(
            session -> {
              tens(0, 50).follow(session);
              first.countDown();
              awaited(goOn);
              tens(50, 100).follow(session);
            },
            recorded);
    Set<ObjectName> promoted;
    try (BackupEngine engine = host.with(streaming(stream, replica)).open()) {
      engine.backup(BackupRequest.full().named("a")).requireGood();
      RunningStream running = engine.stream(StreamHost.STREAM);
      try {
        awaited(first);
        awaitUpToDate(engine);
        promote();
        promoted = new TreeSet<>(replica.raw().names());
      } finally {
        goOn.countDown();
      }
      awaited(recorded);
      Instant end = Instant.now().plusSeconds(120);
      while (running.status().findings().isEmpty()) {
        assertTrue(Instant.now().isBefore(end), "nobody is told");
        Thread.sleep(20);
      }
      Finding told = running.status().findings().get(0);
      assertEquals(CoreFailure.UNDER_REPLICATED, told.code());
      assertTrue(told.found().contains("is a PRIMARY"), told.toString());
    }
    assertEquals(promoted, new TreeSet<>(replica.raw().names()));
    assertReplicaHolds(50);
  }

  private void promote() throws IOException {
    try (BackupRepository repository =
        BackupRepository.at(replica)
            .trust(pruning.trust())
            .signedBy(host.keys())
            .executor(Runnable::run)
            .open()) {
      PromotionPlan plan =
          repository.planPromotion(PromotionRequest.ofWhole().acceptingLoss("by mistake"));
      repository.promote(plan, Confirmation.of(plan.digest()));
    }
  }

  private void assertReplicaHoldsNothing() throws IOException {
    try (BackupRepository copy = at(replica)) {
      assertEquals(List.of(), copy.catalog().streams());
    }
  }

  private Set<ObjectName> slices(MemorySink sink) {
    Set<ObjectName> slices = new TreeSet<>(sink.snapshot().keySet());
    slices.removeIf(n -> !n.value().contains("/stream/"));
    return slices;
  }

  private List<SliceSpan> ranges(BackupSink sink) throws IOException {
    try (BackupRepository repository = at(sink)) {
      return repository.catalog().streams().get(0).ranges();
    }
  }

  private CopyReport copy(CopyRequest request) throws IOException {
    try (BackupRepository repository = at(primary)) {
      return repository.copy(request);
    }
  }

  /** The one that was merged from pieces, which the replica does not have. */
  private ObjectName merged() {
    Set<ObjectName> merged = slices(primary);
    merged.removeAll(slices(replica));
    assertEquals(1, merged.size(), merged.toString());
    return merged.iterator().next();
  }

  private void mergeAll(String name, long to) throws Exception {
    captureAndRecord(
        host, pruning, name, to, to, session -> ScriptedStream.merge(session, 1, 0, to));
  }

  @Test
  void a_slice_that_is_lost_here_takes_nothing_from_the_replica() throws Exception {
    captureAndRecord("a", 0, 10, 0, 50);
    copy(CopyRequest.to(replica)).requireComplete();
    mergeAll("b", 50);
    ObjectName merged = merged();
    primary.raw().remove(merged);
    CopyReport report = copy(CopyRequest.to(replica).followingDeletions());
    assertFalse(report.isComplete());
    assertEquals(
        List.of(merged.value()), report.findings().stream().map(Finding::subject).toList());
    assertEquals(CoreFailure.OBJECT_NOT_FOUND, report.findings().get(0).code());
    assertEquals(List.of(ToyLog.span(1, 0, 50)), ranges(replica));
  }

  @Test
  void pieces_stay_in_the_replica_until_what_was_merged_from_them_is_there() throws Exception {
    captureAndRecord("a", 0, 10, 0, 50);
    copy(CopyRequest.to(replica)).requireComplete();
    Set<ObjectName> pieces = slices(replica);
    mergeAll("b", 50);
    ObjectName merged = merged();
    pruning.prune(9);
    captureAndRecord("c", 50, 50, 50, 60);
    pruning.prune(9);
    assertFalse(slices(primary).stream().anyMatch(pieces::contains), "they are swept");
    backUp(7);
    SortedMap<ObjectName, byte[]> before = replica.snapshot();
    CopyReport other =
        copy(CopyRequest.to(replica).only(SnapshotRef.named("n7")).followingDeletions());
    assertTrue(other.requireComplete().removed() >= pieces.size(), other.toString());
    assertEquals(List.of(ToyLog.span(1, 0, 60)), ranges(replica), "of a snapshot that is there");
    replica.reset(before);
    byte[] bytes = primary.raw().read(merged);
    bytes[bytes.length / 2] ^= 1;
    primary.raw().write(merged, bytes);
    CopyReport report = copy(CopyRequest.to(replica).followingDeletions());
    assertFalse(report.isComplete());
    assertEquals(0, report.removed());
    assertTrue(slices(replica).containsAll(pieces), "the last good bytes");
  }

  @Test
  void what_a_replica_did_not_keep_as_it_was_given_is_named_by_no_entry() throws Exception {
    AtomicReference<ObjectName> victim = new AtomicReference<>();
    AtomicInteger compared = new AtomicInteger();
    BackupSink flipping =
        replica.with(
            inner ->
                new ForwardingStore(inner) {
                  @Override
                  public void put(ObjectName name, ObjectBody body) throws IOException {
                    if (!name.value().contains("/stream/") || !victim.compareAndSet(null, name)) {
                      super.put(name, body);
                      return;
                    }
                    try (InputStream in = body.open()) {
                      byte[] other = in.readAllBytes();
                      other[other.length / 2] ^= 1;
                      super.put(name, ObjectBody.of(other));
                    }
                  }

                  @Override
                  public InputStream open(ObjectName name, ByteRange range) throws IOException {
                    if (name.equals(victim.get())) {
                      compared.incrementAndGet();
                    }
                    return super.open(name, range);
                  }

                  @Override
                  public void delete(ObjectName name) throws IOException {
                    throw new BackupException.Sink(
                        CoreFailure.SINK_FAILED, BackupException.Sink.Reason.DENIED, "not you");
                  }
                });
    CountDownLatch recorded = new CountDownLatch(1);
    ScriptedStream stream = ScriptedStream.doing(tens(0, 30), recorded);
    try (BackupEngine engine = host.with(streaming(stream, flipping)).open()) {
      engine.backup(BackupRequest.full().named("a")).requireGood();
      RunningStream running = engine.stream(StreamHost.STREAM);
      awaited(recorded);
      Instant end = Instant.now().plusSeconds(120);
      while (compared.get() < 2 && !isAnyRecorded()) {
        assertTrue(Instant.now().isBefore(end), running.status().toString());
        Thread.sleep(20);
      }
      assertFalse(running.status().findings().isEmpty());
      assertFalse(engine.replication().streams().get(0).isUpToDate());
    }
    assertFalse(isAnyRecorded(), "an entry names what is damaged");
  }

  private boolean isAnyRecorded() {
    return replica.snapshot().keySet().stream()
        .anyMatch(n -> n.value().startsWith("log/" + StreamHost.LOG + "/"));
  }

  @Test
  void a_copy_that_a_prune_overtakes_counts_all_that_it_sent() throws IOException {
    backUp(1);
    backUp(2);
    AtomicBoolean isFirst = new AtomicBoolean(true);
    BackupSink during =
        HookedStore.on(
            replica,
            operation -> {
              if (operation.contains("put w/host-a/packs/") && isFirst.getAndSet(false)) {
                pruning.prune(1);
                backUp(3);
                assertTrue(pruning.prune(1).deletedObjects() > 0);
              }
            });
    CopyReport report = copy(CopyRequest.to(during)).requireComplete();
    long there =
        replica.raw().names().stream().filter(n -> n.value().matches("(w|keys|log)/.*")).count();
    assertEquals(there, report.sent());
    assertEquals(0, report.there(), "nothing was there before");
    assertHolds(replica, 3);
  }

  @Test
  void a_replica_whose_streams_cannot_be_asked_for_stands_there_once() throws Exception {
    AtomicBoolean isFailing = new AtomicBoolean();
    BackupSink half =
        HookedStore.on(
            replica,
            operation -> {
              if (isFailing.get() && operation.contains("log/" + StreamHost.LOG)) {
                throw new BackupException.Sink(
                    CoreFailure.SINK_FAILED, BackupException.Sink.Reason.TRANSIENT, operation);
              }
            });
    CountDownLatch recorded = new CountDownLatch(1);
    ScriptedStream stream = ScriptedStream.doing(tens(0, 30), recorded);
    try (BackupEngine engine = host.with(streaming(stream, half)).open()) {
      engine.backup(BackupRequest.full().named("a")).requireGood();
      engine.stream(StreamHost.STREAM);
      awaited(recorded);
      awaitUpToDate(engine);
      isFailing.set(true);
      ReplicationStatus status = engine.replication();
      isFailing.set(false);
      assertEquals(1, status.findings().size(), status.toString());
      assertEquals(List.of(1L, 0L), status.stores().stream().map(s -> s.holds()).toList());
      assertEquals(1, status.streams().size());
      assertFalse(status.isMet());
    }
  }
}
