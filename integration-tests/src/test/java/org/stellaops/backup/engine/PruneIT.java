package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.RunRecord;
import org.stellaops.backup.model.RunRecord.State;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.retention.PrunePreview;
import org.stellaops.backup.retention.RetentionRules;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.RetentionDecision;
import org.stellaops.backup.spi.RetentionPolicy;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoredObject;
import org.stellaops.backup.testkit.MemorySink;

/** What a janitor removes, and when; and what everybody else makes of it. */
class PruneIT {
  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private AgeIdentity owner;
  private Host host;
  private Pruning pruning;

  @BeforeEach
  void make() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    pruning = new Pruning(host).withKeys();
  }

  @AfterEach
  void nothingIsOpen() {
    owner.close();
    sink.assertNothingOpen();
  }

  /** Two in a row have a half in common. */
  static BytesSource content(long seed) {
    return new BytesSource("config")
        .with("half", Fixture.random(seed / 2, 30_000))
        .with("other", Fixture.random(-seed, 30_000));
  }

  /** A writer that knows the janitor. */
  private BackupEngine.Builder writer(BytesSource source, BackupSink through) throws IOException {
    BackupPlan plan =
        host.plan(through).source(Host.SOURCE, source).janitor(pruning.keys()).build();
    return host.with(plan);
  }

  private SnapshotSummary backUp(long seed) throws IOException {
    return backUp(seed, sink);
  }

  private SnapshotSummary backUp(long seed, BackupSink through) throws IOException {
    try (BackupEngine engine = writer(content(seed), through).open()) {
      SnapshotId id =
          engine.backup(BackupRequest.full().named("n" + seed)).requireGood().snapshot();
      return engine.catalog().info(id);
    }
  }

  private BackupRepository repository() throws IOException {
    return BackupRepository.at(sink)
        .identity(owner)
        .trust(pruning.trust())
        .executor(Runnable::run)
        .open();
  }

  private void assertSound(long... seeds) throws IOException {
    try (BackupRepository repository = repository()) {
      assertEquals(seeds.length, repository.catalog().list(SnapshotFilter.all()).size());
      for (long seed : seeds) {
        Host.assertComplete(repository, SnapshotRef.named("n" + seed), content(seed), owner);
      }
      var report = repository.check(Verification.full(owner));
      assertTrue(report.isIntact(), report.toString());
      assertEquals(List.of(), repository.catalog().damage());
    }
  }

  @Test
  void what_is_let_go_is_removed_when_its_writer_knows_and_everything_else_stays()
      throws Exception {
    backUp(1);
    backUp(2);
    PruneReport first = pruning.prune(1);
    assertTrue(first.isOk(), first.toString());
    assertEquals(1, first.retired().size());
    assertTrue(first.doomedObjects() > 0, first.toString());
    assertEquals(0, first.deletedObjects());
    assertEquals(Map.of("host-a", first.waiting().get("host-a")), first.waiting());
    Map<String, Integer> before = Pruning.counts(sink);
    assertSound(2);
    PruneReport second = pruning.prune(1);
    assertEquals(0, second.deletedObjects(), "the writer is silent: " + second);
    assertTrue(second.waiting().get("host-a").contains("no entry since"), second.toString());
    backUp(3);
    PruneReport third = pruning.prune(2);
    assertTrue(third.isOk(), third.toString());
    assertEquals(first.doomedObjects(), third.deletedObjects());
    assertTrue(third.freedBytes() > 25_000, third.toString());
    assertTrue(third.keptObjects() > 0);
    assertEquals(before.get("packs"), Pruning.counts(sink).get("packs"), "2 and 3 have one each");
    assertSound(2, 3);
    assertEquals(0, pruning.prune(2).deletedObjects());
  }

  @Test
  void nothing_goes_before_the_grace_is_over_and_until_then_it_can_be_recalled() throws Exception {
    SnapshotSummary gone = backUp(1);
    backUp(2);
    try (Janitor janitor = pruning.open(1, Duration.ofDays(1))) {
      Pruning.prune(janitor);
      backUp(3);
      PruneReport waiting = janitor.cleanUp();
      assertEquals(0, waiting.deletedObjects(), waiting.toString());
      assertTrue(waiting.waiting().get("host-a").startsWith("the grace"), waiting.toString());
      try (BackupRepository repository = repository()) {
        var refused =
            assertThrows(
                BackupException.Refused.class, () -> repository.verify(SnapshotRef.named("n1")));
        assertEquals(CoreFailure.RETIRED, refused.code());
        assertTrue(refused.getMessage().contains("kept by no rule"), refused.getMessage());
      }
      janitor.recall(gone.id(), "it is needed for an audit", "ann");
      assertSound(1, 2, 3);
      var again =
          assertThrows(
              BackupException.Refused.class, () -> janitor.recall(gone.id(), "again", "ann"));
      assertEquals(CoreFailure.NOT_FOUND, again.code());
    }
    backUp(4);
    PruneReport report = pruning.prune(4);
    assertTrue(report.isOk(), report.toString());
    assertSound(1, 2, 3, 4);
  }

  @Test
  void what_is_swept_cannot_be_recalled() throws Exception {
    SnapshotSummary gone = backUp(1);
    backUp(2);
    pruning.prune(1);
    backUp(3);
    assertTrue(pruning.prune(2).deletedObjects() > 0);
    try (Janitor janitor = pruning.open(2, Duration.ZERO)) {
      var refused =
          assertThrows(BackupException.Refused.class, () -> janitor.recall(gone.id(), "x", "ann"));
      assertEquals(CoreFailure.RETIRED, refused.code());
    }
    assertSound(2, 3);
  }

  @Test
  void a_hold_survives_every_rule_until_somebody_releases_it() throws Exception {
    backUp(1);
    backUp(2);
    try (Janitor janitor = pruning.open(1, Duration.ZERO)) {
      janitor.hold(SnapshotRef.named("n1"), "a dispute", "ann");
      assertEquals(List.of(), Pruning.prune(janitor).retired());
      assertThrows(
          IllegalArgumentException.class,
          () -> janitor.release(SnapshotRef.named("n1"), "settled", " "));
      janitor.release(SnapshotRef.named("n1"), "settled", "ann");
      assertThrows(
          BackupException.Refused.class,
          () -> janitor.release(SnapshotRef.named("n1"), "settled", "ann"));
      janitor.hold(SnapshotRef.named("n1"), "for an hour", Instant.now().plusSeconds(3600), "ann");
      assertEquals(List.of(), Pruning.prune(janitor).retired());
      janitor.release(SnapshotRef.named("n1"), "settled", "ann");
      assertEquals(1, Pruning.prune(janitor).retired().size());
    }
    assertSound(2);
  }

  @Test
  void only_the_preview_that_was_shown_is_carried_out() throws Exception {
    backUp(1);
    backUp(2);
    try (Janitor janitor = pruning.open(1, Duration.ZERO)) {
      PrunePreview preview = janitor.planPrune();
      Digest other = Digest.ofContent(new byte[1]);
      assertStale(() -> janitor.prune(preview, Confirmation.of(other)));
      backUp(3);
      assertStale(() -> janitor.prune(preview, Confirmation.of(preview.digest())));
    }
    assertSound(1, 2, 3);
  }

  private static void assertStale(Executable prune) {
    var refused = assertThrows(BackupException.Refused.class, prune);
    assertEquals(CoreFailure.PLAN_STALE, refused.code());
  }

  @Test
  void a_run_whose_packs_were_doomed_meanwhile_captures_again() throws Exception {
    backUp(1);
    AtomicBoolean isDone = new AtomicBoolean();
    BackupSink hooked =
        HookedStore.on(
            sink,
            operation -> {
              if (operation.startsWith("put log/host-a/") && isDone.compareAndSet(false, true)) {
                // Too late for this slot; but the slot is taken, so the run reads again.
                backUp(5);
                pruning.prune(9);
              }
            });
    backUp(2, hooked);
    assertTrue(isDone.get());
    assertSound(1, 2, 5);
    for (int i = 0; i < 3; i++) {
      backUp(10 + i);
      PruneReport report = pruning.prune(9);
      assertTrue(report.isOk(), report.toString());
    }
    assertSound(1, 2, 5, 10, 11, 12);
  }

  @Test
  void a_chunk_that_went_is_stored_again() throws Exception {
    backUp(1);
    backUp(2);
    pruning.prune(1);
    SnapshotSummary again = backUp(1_000_001);
    assertTrue(again.newBytes() > 50_000, "nothing was there");
    pruning.prune(1);
    backUp(2_000_001);
    pruning.prune(1);
    try (BackupEngine engine = writer(content(1), sink).open()) {
      engine.backup(BackupRequest.full().named("back")).requireGood();
    }
    try (BackupRepository repository = repository()) {
      Host.assertComplete(repository, SnapshotRef.named("back"), content(1), owner);
    }
  }

  @Test
  void orphans_of_a_failed_run_are_removed() throws Exception {
    backUp(1);
    BackupSink failing =
        HookedStore.on(
            sink,
            operation -> {
              if (operation.equals("put log/host-a/0000000004.entry")) {
                throw new BackupException.Sink(
                    CoreFailure.SINK_FAILED, BackupException.Sink.Reason.REFUSED, "no");
              }
            });
    assertThrows(BackupException.Sink.class, () -> backUp(2, failing));
    Map<String, Integer> withOrphans = Pruning.counts(sink);
    pruning.prune(9);
    backUp(3);
    Map<String, Integer> before = Pruning.counts(sink);
    PruneReport report = pruning.prune(9);
    assertTrue(report.deletedObjects() >= 4, report.toString());
    assertTrue(Pruning.counts(sink).get("packs") < before.get("packs"), withOrphans.toString());
    assertSound(1, 3);
  }

  /** Six packs; the run says what is durable after four, and then is gone. */
  private BytesSource interrupted() throws IOException {
    BytesSource large = new BytesSource("config").with("large", Fixture.random(9, 20 << 20));
    BackupSink dying =
        HookedStore.on(
            sink,
            operation -> {
              if (sink.snapshot().containsKey(ObjectName.of("log/host-a/0000000004.entry"))) {
                throw new IOException("gone at " + operation);
              }
            });
    try (BackupEngine engine = writer(large, dying).open()) {
      assertThrows(BackupException.Sink.class, () -> engine.backup(BackupRequest.full()));
    }
    return large;
  }

  @Test
  void what_an_interrupted_run_told_goes_when_nobody_needs_it() throws Exception {
    backUp(1);
    interrupted();
    int packs = Pruning.counts(sink).get("packs");
    assertTrue(packs >= 5, packs + " packs");
    backUp(2);
    pruning.prune(9);
    backUp(3);
    PruneReport report = pruning.prune(9);
    assertTrue(report.isOk(), report.toString());
    assertTrue(Pruning.counts(sink).get("packs") <= 4, Pruning.counts(sink).toString());
    assertSound(1, 2, 3);
    try (BackupRepository repository = repository()) {
      var structure = repository.check(Verification.structure());
      assertTrue(structure.isIntact(), structure.toString());
      assertEquals(
          List.of(State.COMMITTED, State.COMMITTED, State.ABANDONED, State.COMMITTED),
          repository.catalog().runs().stream().map(RunRecord::state).toList());
    }
  }

  @Test
  void what_was_doomed_of_an_interrupted_run_is_sent_again() throws Exception {
    backUp(1);
    BytesSource large = interrupted();
    BackupPlan failing =
        host.plan(sink)
            .source(
                Host.SOURCE,
                ScriptedSource.capturing(
                    session -> {
                      throw new IOException("no such file");
                    }))
            .janitor(pruning.keys())
            .build();
    try (BackupEngine engine = host.with(failing).open()) {
      assertThrows(
          BackupException.Source.class, () -> engine.backup(BackupRequest.full()), "ends it");
    }
    PruneReport doomed = pruning.prune(9);
    assertTrue(doomed.doomedObjects() >= 4, doomed.toString());
    try (BackupEngine engine = writer(large, sink).open()) {
      engine.backup(BackupRequest.full().named("large")).requireGood();
    }
    PruneReport report = pruning.prune(9);
    assertTrue(report.isOk(), report.toString());
    try (BackupRepository repository = repository()) {
      Host.assertComplete(repository, SnapshotRef.named("large"), large, owner);
      var check = repository.check(Verification.full(owner));
      assertTrue(check.isIntact(), check.toString());
    }
  }

  @Test
  void an_object_that_cannot_be_removed_keeps_no_other_from_it() throws Exception {
    backUp(1);
    backUp(2);
    pruning.prune(1);
    backUp(3);
    SortedMap<ObjectName, byte[]> before = sink.snapshot();
    ObjectName stuck =
        before.keySet().stream()
            .filter(n -> n.value().contains("/manifests/"))
            .filter(n -> isOf(before, "0000000002", n))
            .findFirst()
            .orElseThrow();
    sink.protect(stuck);
    PruneReport report = pruning.prune(2);
    assertFalse(report.isOk());
    assertEquals(stuck.value(), report.problems().get(0).subject());
    assertEquals(1, report.problems().size());
    assertTrue(report.deletedObjects() >= 2, report.toString());
    sink.unprotect(stuck);
    PruneReport next = pruning.prune(2);
    assertTrue(next.isOk(), next.toString());
    assertEquals(1, next.deletedObjects());
    assertSound(2, 3);
  }

  private static boolean isOf(
      SortedMap<ObjectName, byte[]> objects, String slot, ObjectName named) {
    byte[] entry = objects.get(ObjectName.of("log/host-a/" + slot + ".entry"));
    return new String(entry, StandardCharsets.US_ASCII).contains(named.value());
  }

  @Test
  void a_list_that_cannot_be_read_keeps_everything_of_its_writer() throws Exception {
    backUp(1);
    backUp(2);
    ObjectName list =
        sink.snapshot().keySet().stream()
            .filter(n -> n.value().startsWith("w/host-a/lists/"))
            .findFirst()
            .orElseThrow();
    byte[] bytes = sink.snapshot().get(list);
    sink.raw().remove(list);
    PruneReport report = pruning.prune(9);
    assertFalse(report.isOk());
    assertEquals(0, report.doomedObjects());
    assertTrue(bytes.length > 0);
  }

  @Test
  void one_source_of_a_snapshot_can_be_let_go_before_the_others() throws Exception {
    BackupPlan plan =
        host.plan(sink)
            .source("one", content(1))
            .source("two", content(2))
            .janitor(pruning.keys())
            .build();
    try (BackupEngine engine = host.with(plan).open()) {
      engine.backup(BackupRequest.full().named("n1")).requireGood();
      engine.backup(BackupRequest.full().named("n2")).requireGood();
    }
    try (Janitor janitor =
        pruning
            .with(1)
            .retain(Pruning.keeping(2).source(SourceName.of("one"), Pruning.newest(1)))
            .open()) {
      PruneReport report = Pruning.prune(janitor);
      assertEquals(
          List.of(SourceName.of("one")), report.retired().stream().map(r -> r.source()).toList());
    }
    try (BackupRepository repository = repository()) {
      SnapshotSummary first = repository.catalog().info(SnapshotRef.named("n1"));
      assertEquals(
          Map.of(SourceName.of("one"), "kept by no rule: a policy of the plan"), first.retired());
      assertFalse(first.isWhole());
      assertEquals(1, first.captures().size());
      assertTrue(repository.check(Verification.full(owner)).isIntact());
      var refused =
          assertThrows(
              BackupException.Refused.class,
              () ->
                  repository.planRestore(
                      RestoreRequest.of(SnapshotRef.named("n1"))
                          .only("one")
                          .target("one", new BytesSource.Target())));
      assertEquals(CoreFailure.RETIRED, refused.code());
      repository.planRestore(
          RestoreRequest.of(SnapshotRef.named("n1"))
              .only("two")
              .target("two", new BytesSource.Target()));
    }
  }

  @Test
  void a_writer_that_does_not_know_the_janitor_blocks_its_own_garbage_only() throws Exception {
    backUp(1);
    backUp(2);
    pruning.prune(1);
    // It trusts its own key for retention, and so nobody else's: it knows of no doom.
    try (BackupEngine engine = host.with(content(3), sink).open()) {
      engine.backup(BackupRequest.full().named("n3")).requireGood();
    }
    PruneReport report = pruning.prune(9);
    assertEquals(0, report.deletedObjects(), report.toString());
    assertTrue(report.waiting().get("host-a").contains("no entry since"), report.toString());
    backUp(4);
    assertTrue(pruning.prune(9).deletedObjects() > 0);
    assertSound(2, 3, 4);
    // What somebody of this writer has read, nobody of it may forget.
    try (BackupEngine engine = host.with(content(5), sink).open()) {
      var refused =
          assertThrows(BackupException.Corrupt.class, () -> engine.backup(BackupRequest.full()));
      assertEquals(CoreFailure.WENT_BACKWARDS, refused.code());
    }
  }

  @Test
  void whoever_pins_nobody_for_retention_loses_sight_of_nothing() throws Exception {
    backUp(1);
    backUp(2);
    try (BackupRepository before = host.repository(owner)) {
      assertEquals(2, before.catalog().list(SnapshotFilter.all()).size());
    }
    pruning.prune(1);
    try (BackupRepository writerOnly =
        BackupRepository.at(sink).trust(Trust.writers(host.keys().id())).open()) {
      assertEquals(2, writerOnly.catalog().list(SnapshotFilter.all()).size());
      assertTrue(writerOnly.verify(SnapshotRef.named("n1")).isIntact());
    }
    try (BackupRepository nobody = BackupRepository.at(sink).open()) {
      assertEquals(1, nobody.catalog().list(SnapshotFilter.all()).size());
    }
  }

  @Test
  void what_a_key_says_that_nobody_pinned_deletes_nothing_and_hides_nothing() throws Exception {
    backUp(1);
    backUp(2);
    backUp(3);
    WriterKeyFile stranger = WriterKeyFile.at(root.resolve("stranger.key")).named("stranger");
    stranger.open().close();
    try (Janitor janitor = pruning.with(1).keys(stranger).open()) {
      // It believes itself; nobody else does.
      assertEquals(2, Pruning.prune(janitor).retired().size());
    }
    backUp(4);
    try (Janitor janitor = pruning.with(9).keys(stranger).open()) {
      PruneReport report = Pruning.prune(janitor);
      assertEquals(0, report.deletedObjects(), report.toString());
    }
    try (BackupRepository repository = repository()) {
      assertEquals(4, repository.catalog().list(SnapshotFilter.all()).size());
      for (long seed = 1; seed <= 4; seed++) {
        Host.assertComplete(repository, SnapshotRef.named("n" + seed), content(seed), owner);
      }
      assertTrue(
          repository.catalog().damage().stream()
              .allMatch(f -> f.code() == CoreFailure.UNTRUSTED_WRITER));
    }
    var refused = assertThrows(BackupException.Corrupt.class, () -> pruning.prune(1));
    assertEquals(CoreFailure.CHAIN_BROKEN, refused.code());
    assertEquals(4, Pruning.counts(sink).get("manifests"));
  }

  @Test
  void signs_of_life_of_runs_that_ended_and_of_nobody_go_and_no_others() throws Exception {
    // A directory knows how old they are.
    BackupSink directory = DirectorySink.at(root.resolve("repository"));
    Host other = new Host(root.resolve("other"), owner.recipient(), directory).withKeys();
    Pruning janitors = new Pruning(other).withKeys();
    BackupSource source =
        ScriptedSource.capturing(
            session -> {
              List<RunId> runs = runs(directory);
              ObjectName ended = putBeat(directory, "host-a/" + runs.get(0));
              ObjectName open = putBeat(directory, "host-a/" + runs.get(1));
              ObjectName nobodys = putBeat(directory, "host-a/01jzzzzzzzzzzzzzzzzzzzzzzz");
              ObjectName probe = putBeat(directory, "retention/0123456789abcdef");

              try (Janitor janitor = janitors.with(9).minimumAge(Duration.ofDays(1)).open()) {
                Pruning.prune(janitor);
              }
              assertEquals(Set.of(open, nobodys, probe), beats(directory), "but for " + ended);

              janitors.prune(9);
              assertEquals(Set.of(open), beats(directory));
              content(2).capture(session);
            });
    BackupPlan first =
        other.plan(directory).source(Host.SOURCE, content(1)).janitor(janitors.keys()).build();
    try (BackupEngine engine = other.with(first).open()) {
      engine.backup(BackupRequest.full()).requireGood();
    }
    BackupPlan second =
        other.plan(directory).source(Host.SOURCE, source).janitor(janitors.keys()).build();
    try (BackupEngine engine = other.with(second).open()) {
      engine.backup(BackupRequest.full()).requireGood();
    }
  }

  private static List<RunId> runs(BackupSink sink) throws IOException {
    try (BackupRepository repository = BackupRepository.at(sink).open()) {
      return repository.catalog().runs().stream()
          .sorted(Comparator.comparing(RunRecord::began))
          .map(RunRecord::run)
          .toList();
    }
  }

  private static ObjectName putBeat(BackupSink sink, String whose) throws IOException {
    ObjectName beat = ObjectName.of("beat/%s-1".formatted(whose));
    try (ObjectStore store = sink.open(StoreContext.system())) {
      store.put(beat, ObjectBody.of(new byte[0]));
    }
    return beat;
  }

  private static Set<ObjectName> beats(BackupSink sink) throws IOException {
    try (ObjectStore store = sink.open(StoreContext.system())) {
      return store.list("beat/", PageToken.START).objects().stream()
          .map(StoredObject::name)
          .collect(Collectors.toSet());
    }
  }

  /** Holds while another prunes before the n-th look at what was let go; empty if it is held. */
  private Optional<FailureCode> heldWhilePruned(int n, AtomicBoolean isPruned) throws IOException {
    AtomicInteger looks = new AtomicInteger();
    AtomicBoolean isHolding = new AtomicBoolean();
    BackupSink hooked =
        HookedStore.on(
            sink,
            operation -> {
              boolean isLook = isHolding.get() && operation.contains(" log/retention/");
              if (isLook && looks.getAndIncrement() == n) {
                isPruned.set(true);
                assertEquals(1, pruning.prune(1).retired().size());
              }
            });
    try (Janitor janitor = new Pruning(host, hooked).open(1, Duration.ZERO)) {
      isHolding.set(true);
      janitor.hold(SnapshotRef.named("n1"), "a dispute", "ann");
      return Optional.empty();
    } catch (BackupException.Refused e) {
      return Optional.of(e.code());
    }
  }

  @Test
  void nobody_is_told_that_a_snapshot_is_held_which_another_lets_go() throws Exception {
    backUp(1);
    backUp(2);
    SortedMap<ObjectName, byte[]> before = sink.snapshot();
    Set<FailureCode> codes = new HashSet<>();
    AtomicBoolean isPruned = new AtomicBoolean(true);
    for (int n = 0; isPruned.get(); n++) {
      sink.reset(before);
      isPruned.set(false);
      Optional<FailureCode> refused = heldWhilePruned(n, isPruned);
      assertEquals(isPruned.get(), refused.isPresent(), "look " + n);
      refused.ifPresent(codes::add);
    }
    assertEquals(Set.of(CoreFailure.PLAN_STALE, CoreFailure.RETIRED), codes);
  }

  private String newest() {
    return sink.snapshot().entrySet().stream()
        .filter(e -> e.getKey().value().startsWith("log/host-a/"))
        .map(e -> new String(e.getValue(), StandardCharsets.US_ASCII))
        .reduce((older, newer) -> newer)
        .orElseThrow();
  }

  private void plant(String name, String entry) throws IOException {
    sink.raw().write(ObjectName.of(name), entry.getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void clocks_of_nobody_known_stop_no_prune() throws Exception {
    WriterKeyFile stranger = WriterKeyFile.at(root.resolve("stranger.key")).named("zzz");
    stranger.open().close();
    backUp(1);
    long seed = 2;
    for (String time :
        List.of(Instant.now().plusSeconds(3600).toString(), Instant.MAX.toString())) {
      backUp(seed++);
      plant(
          "log/zzz/0000000001.entry",
          Forgery.first(newest(), "zzz")
              .replace("# time: .*", "# time: " + time)
              .signedBy(stranger));
      try (Janitor janitor = pruning.open(1, Duration.ZERO)) {
        assertEquals(1, Pruning.prune(janitor).retired().size());
        janitor.cleanUp();
      }
    }
    plant(
        "log/host-a/%010d.entry".formatted(entriesOf("host-a") + 1),
        Forgery.after(newest())
            .replace("# time: .*", "# time: " + Instant.MAX.minusSeconds(1))
            .replace("# taken: .*", "# taken: " + Instant.MAX.minusSeconds(1))
            .signedBy(host.keys()));
    try (Janitor janitor = pruning.open(1, Duration.ZERO)) {
      PrunePreview preview = janitor.planPrune();
      assertFalse(preview.isPossible());
      assertTrue(
          preview.blockers().stream().allMatch(b -> b.code() == CoreFailure.CLOCK_UNSOUND),
          preview.toString());
    }
  }

  private long entriesOf(String log) {
    return sink.snapshot().keySet().stream()
        .filter(n -> n.value().startsWith("log/" + log + "/"))
        .count();
  }

  private static RetentionPolicy allBut(SnapshotId gone) {
    return (all, now) ->
        new RetentionDecision(
            all.stream()
                .map(CaptureHeader::snapshot)
                .filter(id -> !id.equals(gone))
                .collect(Collectors.toMap(id -> id, id -> List.of("kept"), (a, b) -> a)));
  }

  @Test
  void a_backup_between_preview_and_prune_changes_nothing_that_was_shown() throws Exception {
    AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
    SnapshotId first = backUp(1, now).id();
    backUp(2, now);
    try (Janitor janitor =
        pruning
            .with(1)
            .clock(now::get)
            .retain(RetentionRules.of(allBut(first)).minimumAge(Duration.ZERO))
            .open()) {
      PrunePreview preview = janitor.planPrune();
      now.updateAndGet(t -> t.plus(Duration.ofMinutes(20)));
      backUp(3, now);
      assertEquals(1, janitor.prune(preview, Confirmation.of(preview.digest())).retired().size());
      now.updateAndGet(t -> t.plus(Duration.ofHours(1)));
      backUp(4, now);
      now.updateAndGet(t -> t.minus(Duration.ofMinutes(30)));
      PrunePreview ahead = janitor.planPrune();
      assertFalse(ahead.isPossible());
      now.updateAndGet(t -> t.plusSeconds(1));
      var refused =
          assertThrows(
              BackupException.Refused.class,
              () -> janitor.prune(ahead, Confirmation.of(ahead.digest())));
      assertEquals(CoreFailure.BLOCKED, refused.code());
    }
  }

  private SnapshotSummary backUp(long seed, AtomicReference<Instant> now) throws IOException {
    try (BackupEngine engine = writer(content(seed), sink).clock(now::get).open()) {
      SnapshotId id =
          engine.backup(BackupRequest.full().named("n" + seed)).requireGood().snapshot();
      return engine.catalog().info(id);
    }
  }
}
