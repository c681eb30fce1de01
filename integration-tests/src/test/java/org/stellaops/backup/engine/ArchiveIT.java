package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.ArchiveReport;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.plan.ArchivePlan;
import org.stellaops.backup.plan.ArchiveRequest;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.retention.PruneRequest;
import org.stellaops.backup.retention.RetentionRules;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.RetentionDecision;
import org.stellaops.backup.spi.RetentionPolicy;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.MemorySink;

/** What is moved to an archive is whole there before anything of it is let go of here. */
class ArchiveIT {
  @TempDir Path root;
  private final MemorySink primary = new MemorySink();
  private final MemorySink archive = new MemorySink();
  private AgeIdentity owner;
  private Host host;
  private Pruning pruning;

  @BeforeEach
  void make() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), primary).withKeys();
    pruning = new Pruning(host).withKeys();
    for (long seed = 1; seed <= 3; seed++) {
      backUp(seed);
    }
  }

  @AfterEach
  void nothingIsOpen() {
    owner.close();
    primary.assertNothingOpen();
    archive.assertNothingOpen();
  }

  private void backUp(long seed) throws IOException {
    BackupPlan plan =
        host.plan(primary)
            .source(Host.SOURCE, PruneIT.content(seed))
            .janitor(pruning.keys())
            .build();
    try (BackupEngine engine = host.with(plan).open()) {
      engine.backup(BackupRequest.full().named("n" + seed)).requireGood();
    }
  }

  private BackupRepository at(BackupSink sink) throws IOException {
    return BackupRepository.at(sink)
        .identity(owner)
        .trust(pruning.trust())
        .executor(Runnable::run)
        .open();
  }

  private static Set<String> names(BackupRepository repository) throws BackupException {
    Set<String> names = new TreeSet<>();
    repository.catalog().list(SnapshotFilter.all()).forEach(s -> names.add(s.name().value()));
    return names;
  }

  private Set<String> assertSound(BackupSink sink) throws IOException {
    try (BackupRepository repository = at(sink)) {
      Set<String> names = names(repository);
      for (String name : names) {
        Host.assertComplete(
            repository,
            SnapshotRef.named(name),
            PruneIT.content(Long.parseLong(name.substring(1))),
            owner);
      }
      var report = repository.check(Verification.full(owner));
      assertTrue(report.isIntact(), report.toString());
      assertEquals(List.of(), repository.catalog().damage());
      return names;
    }
  }

  private static ArchiveReport archive(Janitor janitor, BackupSink to, int newest)
      throws BackupException {
    ArchivePlan plan =
        janitor.planArchive(
            ArchiveRequest.of(PruneRequest.keepLast(newest, Long.MAX_VALUE), to).labelled("cold"));
    return janitor.archive(plan, Confirmation.of(plan.digest()));
  }

  private ArchiveReport archive(BackupSink to, int newest) throws IOException {
    try (Janitor janitor = pruning.with(9).open()) {
      return archive(janitor, to, newest);
    }
  }

  @Test
  void what_is_moved_is_restored_from_the_archive_when_it_is_gone_here() throws IOException {
    try (Janitor janitor = pruning.with(9).open()) {
      ArchivePlan plan =
          janitor.planArchive(ArchiveRequest.of(PruneRequest.keepLast(1, Long.MAX_VALUE), archive));
      assertEquals(2, plan.copy().snapshots().size(), plan.describe());
      assertEquals(Set.of(), archive.raw().names());
      var stale =
          assertThrows(
              BackupException.Refused.class,
              () -> janitor.archive(plan, Confirmation.of(plan.drop().digest())));
      assertEquals(CoreFailure.PLAN_STALE, stale.code());
    }
    ArchiveReport report = archive(archive, 1);
    assertEquals(2, report.dropped().retired().size());
    assertTrue(report.dropped().retired().get(0).reason().endsWith("; archived in cold"));
    assertEquals(report.copy().sent(), report.copy().compared());
    assertEquals(Set.of("n3"), assertSound(primary));
    assertEquals(Set.of("n1", "n2"), assertSound(archive));
    backUp(4);
    assertTrue(pruning.prune(9).deletedObjects() > 0);
    assertEquals(Set.of("n3", "n4"), assertSound(primary));
    assertEquals(Set.of("n1", "n2"), assertSound(archive));
    archive(archive, 1);
    assertEquals(Set.of("n4"), assertSound(primary));
    assertEquals(Set.of("n1", "n2", "n3"), assertSound(archive), "nothing is let go of there");
    try (BackupRepository repository = at(archive)) {
      assertEquals(StoreRole.ARCHIVE, repository.role());
      assertEquals("cold", repository.label());
    }
  }

  @Test
  void whatever_fails_everything_is_whole_somewhere() throws IOException {
    SortedMap<ObjectName, byte[]> before = primary.snapshot();
    FaultPlan counting = FaultPlan.none();
    archive(counting.on(archive), 1);
    for (long operation = 0; operation < counting.operations(); operation += 9) {
      primary.reset(before);
      archive.reset(new TreeMap<>());
      FaultPlan plan = FaultPlan.failing(operation, FaultPlan.When.TORN).andEverAfter();
      boolean isDone = true;
      try {
        archive(plan.on(archive), 1);
      } catch (BackupException e) {
        isDone = false;
      }
      Set<String> here;
      try (BackupRepository repository = at(primary)) {
        here = names(repository);
      }
      assertEquals(isDone ? Set.of("n3") : Set.of("n1", "n2", "n3"), here, plan.toString());
      assertEquals(!plan.hasFired(), isDone, "no operation may be left out: " + plan);
    }
    primary.reset(before);
    archive(archive, 1);
    assertEquals(Set.of("n1", "n2"), assertSound(archive));
  }

  @Test
  void the_newest_good_one_stays_whatever_is_asked_for() throws IOException {
    try (Janitor janitor = pruning.with(9).open()) {
      ArchivePlan all = janitor.planArchive(ArchiveRequest.olderThan(Duration.ofDays(1), archive));
      assertEquals(List.of(), all.copy().snapshots(), "nothing is a day old");
      var nothing =
          assertThrows(
              BackupException.Refused.class,
              () -> janitor.archive(all, Confirmation.of(all.digest())));
      assertEquals(CoreFailure.NOT_FOUND, nothing.code());
    }
    archive(archive, 1);
    try (Janitor janitor = pruning.with(9).open();
        BackupRepository repository = at(primary)) {
      var last = repository.catalog().info(SnapshotRef.named("n3")).id();
      var refused =
          assertThrows(
              BackupException.Refused.class,
              () ->
                  janitor.planArchive(
                      ArchiveRequest.of(PruneRequest.release(List.of(last), "old"), archive)));
      assertEquals(CoreFailure.SAFETY_FLOOR, refused.code());
    }
  }

  @Test
  void what_is_damaged_here_or_there_is_not_let_go_of() throws IOException {
    SortedMap<ObjectName, byte[]> before = primary.snapshot();
    flipPacks(primary);
    assertThrows(BackupException.Corrupt.class, () -> archive(archive, 1));
    primary.reset(before);
    archive.reset(new TreeMap<>());
    archive(archive, 1);
    primary.reset(before);
    flipPacks(archive);
    var conflict = assertThrows(BackupException.Refused.class, () -> archive(archive, 1));
    assertEquals(CoreFailure.COPY_CONFLICT, conflict.code());
    assertEquals(Set.of("n1", "n2", "n3"), assertSound(primary));
  }

  private static void flipPacks(MemorySink sink) throws IOException {
    for (ObjectName name : sink.raw().names()) {
      if (name.value().contains("/packs/")) {
        byte[] bytes = sink.raw().read(name);
        bytes[5] ^= 1;
        sink.raw().write(name, bytes);
      }
    }
  }

  @Test
  void recorded_histories_move_along_and_stay_when_they_are_merged_and_removed_here()
      throws Exception {
    primary.reset(new TreeMap<>());
    Host recorder = new Host(root.resolve("recorder"), owner.recipient(), primary).withKeys();
    pruning = new Pruning(recorder).withKeys();
    ReplicaIT.captureAndRecord(recorder, pruning, "a", 0, 10, pieces(0, 50));
    ReplicaIT.captureAndRecord(recorder, pruning, "b", 40, 45, pieces(50, 60));
    archive(archive, 1);
    assertEquals(List.of(ToyLog.span(1, 0, 60)), ranges(archive));
    ReplicaIT.captureAndRecord(
        recorder,
        pruning,
        "c",
        60,
        65,
        session -> {
          pieces(60, 70).follow(session);
          ScriptedStream.merge(session, 1, 40, 70);
        });
    assertTrue(pruning.prune(9).deletedObjects() > 0);
    assertEquals(40, ranges(primary).get(0).from().offset(), "what a needed is gone");
    archive(archive, 1);
    assertEquals(List.of(ToyLog.span(1, 0, 70)), ranges(archive));
    try (BackupRepository repository = at(archive)) {
      var report = repository.check(Verification.full(owner));
      assertTrue(report.isIntact(), report.toString());
      assertEquals(List.of(), repository.catalog().damage());
    }
  }

  /** Depends on the newest capture before it if an increment was asked for. */
  private static void capture(CaptureSession session, String text) throws IOException {
    if (session.requested() == CaptureKind.INCREMENTAL) {
      session.dependsOn(session.parent().orElseThrow());
    }
    session.artifact(
        ArtifactName.of("a"),
        Form.CONTENT,
        out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    session.captured(InventoryItem.of("a", 1, text.length()));
  }

  private void backUp(String name, BackupRequest request) throws IOException {
    BackupPlan plan =
        host.plan(primary)
            .source(Host.SOURCE, ScriptedSource.capturing(s -> capture(s, name)).incremental())
            .janitor(pruning.keys())
            .build();
    try (BackupEngine engine = host.with(plan).open()) {
      engine.backup(request.named(name)).requireGood();
    }
  }

  @Test
  void increments_move_with_what_they_build_on_and_not_before() throws IOException {
    primary.reset(new TreeMap<>());
    host = new Host(root.resolve("increments"), owner.recipient(), primary).withKeys();
    pruning = new Pruning(host).withKeys();
    backUp("full", BackupRequest.full());
    backUp("one", BackupRequest.incremental());
    backUp("two", BackupRequest.incremental());
    MemorySink copy = new MemorySink();
    try (BackupRepository repository = at(primary)) {
      repository.copy(CopyRequest.to(copy).only(SnapshotRef.named("one"))).requireComplete();
    }
    assertIntact(copy, Set.of("full", "one"));
    var needed = assertThrows(BackupException.Refused.class, () -> archive(archive, 1));
    assertEquals(CoreFailure.NOT_FOUND, needed.code(), "the newest needs all of them");
    backUp("again", BackupRequest.full());
    archive(archive, 1);
    assertIntact(archive, Set.of("full", "one", "two"));
    assertIntact(primary, Set.of("again"));
  }

  private void assertIntact(BackupSink sink, Set<String> expected) throws IOException {
    try (BackupRepository repository = at(sink)) {
      assertEquals(expected, names(repository));
      var report = repository.check(Verification.full(owner));
      assertTrue(report.isIntact(), report.toString());
      assertEquals(List.of(), repository.catalog().damage());
    }
  }

  private static ScriptedStream.Follow pieces(long from, long to) {
    return session -> {
      for (long at = from; at < to; at += 10) {
        ScriptedStream.append(session, 1, at, at + 10);
      }
    };
  }

  private List<SliceSpan> ranges(BackupSink sink) throws IOException {
    try (BackupRepository repository = at(sink)) {
      return repository.catalog().streams().get(0).ranges();
    }
  }

  private void backUpTwo(String name, BackupRequest request) throws IOException {
    BackupPlan plan =
        host.plan(primary)
            .source("a", ScriptedSource.capturing(s -> capture(s, name)).incremental())
            .source("b", BytesSource.of("b", Fixture.random(name.hashCode(), 20_000)))
            .janitor(pruning.keys())
            .build();
    try (BackupEngine engine = host.with(plan).open()) {
      engine.backup(request.named(name)).requireGood();
    }
  }

  /** Keeps everything but these. */
  private Janitor without(Predicate<CaptureHeader> released) throws IOException {
    RetentionPolicy policy =
        (captures, now) ->
            new RetentionDecision(
                captures.stream()
                    .filter(released.negate())
                    .collect(
                        Collectors.toMap(
                            CaptureHeader::snapshot, c -> List.of("kept"), (one, other) -> one)));
    return pruning
        .with(9)
        .retain(RetentionRules.of(policy).minimumAge(Duration.ZERO))
        .grace(Duration.ofDays(1))
        .open();
  }

  @Test
  void a_source_that_the_archive_does_not_list_is_not_let_go_of() throws IOException {
    primary.reset(new TreeMap<>());
    host = new Host(root.resolve("two"), owner.recipient(), primary).withKeys();
    pruning = new Pruning(host).withKeys();
    backUpTwo("s1", BackupRequest.full());
    backUpTwo("s2", BackupRequest.full());
    backUpTwo("s3", BackupRequest.full());
    SnapshotId first = idOf("s1");
    try (Janitor janitor = without(isSource("b", first))) {
      Pruning.prune(janitor);
      archive(janitor, archive, 2);
      janitor.recall(first, "it is needed", "ann");
      var incomplete =
          assertThrows(BackupException.Corrupt.class, () -> archive(janitor, archive, 2));
      assertEquals(CoreFailure.COPY_INCOMPLETE, incomplete.code());
      assertTrue(incomplete.getMessage().contains("b of " + first), incomplete.getMessage());
    }
    assertIntact(primary, Set.of("s1", "s2", "s3"));
    try (BackupRepository repository = at(primary)) {
      assertEquals(2, repository.catalog().info(SnapshotRef.named("s1")).captures().size());
    }
  }

  @Test
  void an_archive_is_not_told_to_let_go_of_what_it_lists() throws IOException {
    primary.reset(new TreeMap<>());
    host = new Host(root.resolve("told"), owner.recipient(), primary).withKeys();
    pruning = new Pruning(host).withKeys();
    backUpTwo("kept", BackupRequest.full());
    backUpTwo("full", BackupRequest.full());
    SortedMap<ObjectName, byte[]> before = primary.snapshot();
    archive(archive, 1);
    assertIntact(archive, Set.of("kept"));
    primary.reset(before);
    backUpTwo("one", BackupRequest.incremental());
    backUpTwo("again", BackupRequest.full());
    SnapshotId kept = idOf("kept");
    Predicate<CaptureHeader> isReleased = isSource("b", idOf("full"));
    try (Janitor janitor = without(isReleased.or(c -> c.snapshot().equals(kept)))) {
      assertFalse(Pruning.prune(janitor).retired().isEmpty());
      var refused = assertThrows(BackupException.Refused.class, () -> archive(janitor, archive, 1));
      assertEquals(CoreFailure.COPY_CONFLICT, refused.code());
      MemorySink another = new MemorySink();
      archive(janitor, another, 1);
      assertIntact(another, Set.of("full", "one"));
    }
    assertIntact(archive, Set.of("kept"));
  }

  private static Predicate<CaptureHeader> isSource(String source, SnapshotId snapshot) {
    return c -> c.snapshot().equals(snapshot) && c.source().value().equals(source);
  }

  private SnapshotId idOf(String name) throws IOException {
    try (BackupRepository repository = at(primary)) {
      return repository.catalog().info(SnapshotRef.named(name)).id();
    }
  }
}
