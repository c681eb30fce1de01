package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.plan.PromotionPlan;
import org.stellaops.backup.plan.PromotionRequest;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.MemorySink;

/** In a promoted copy everything goes on as in the primary: retention, recording, copies of it. */
@Timeout(300)
class PromotedIT {
  @TempDir Path root;
  private final MemorySink primary = new MemorySink();
  private final MemorySink copy = new MemorySink();
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
    copy.assertNothingOpen();
  }

  private void backUp(long seed, BackupSink to) throws IOException {
    var plan = host.plan(to).source(Host.SOURCE, PruneIT.content(seed)).janitor(pruning.keys());
    try (BackupEngine engine = host.with(plan.build()).open()) {
      engine.backup(BackupRequest.full().named("n" + seed)).requireGood();
    }
  }

  private BackupRepository at(BackupSink sink) throws IOException {
    return BackupRepository.at(sink)
        .identity(owner)
        .trust(pruning.trust())
        .signedBy(host.keys())
        .workspace(host.workspace())
        .executor(Runnable::run)
        .open();
  }

  private void copyTo(BackupSink target, BackupSink from) throws IOException {
    try (BackupRepository repository = at(from)) {
      repository.copy(CopyRequest.to(target)).requireComplete();
    }
  }

  /** As on a machine that never saw any of it. */
  private BackupRepository.Access elsewhere(BackupSink sink) throws IOException {
    return BackupRepository.at(sink)
        .identity(owner)
        .trust(pruning.trust())
        .signedBy(host.keys())
        .executor(Runnable::run);
  }

  /** What was lost with the primary. */
  private List<String> promote() throws IOException {
    return promote(at(copy));
  }

  private static List<String> promote(BackupRepository opened) throws IOException {
    try (BackupRepository repository = opened) {
      PromotionPlan plan =
          repository.planPromotion(PromotionRequest.ofWhole().acceptingLoss("site a burnt"));
      repository.promote(plan, Confirmation.of(plan.digest()));
      return plan.lost().stream().map(Finding::subject).toList();
    }
  }

  private void assertHolds(BackupSink sink, StoreRole role, long... seeds) throws IOException {
    try (BackupRepository repository = at(sink)) {
      assertEquals(role, repository.role());
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

  private PruneReport prune() throws IOException {
    PruneReport report = new Pruning(host, copy).prune(1);
    assertEquals(List.of(), report.problems());
    return report;
  }

  private Set<ObjectName> packs() throws IOException {
    Set<ObjectName> packs = new TreeSet<>(copy.raw().names());
    packs.removeIf(n -> !n.value().contains("/packs/"));
    return packs;
  }

  @Test
  void retention_lets_go_dooms_and_deletes() throws IOException {
    backUp(1, primary);
    backUp(2, primary);
    copyTo(copy, primary);
    assertEquals(List.of(), promote());
    backUp(3, copy);
    final Set<ObjectName> before = packs();

    PruneReport doomed = prune();
    assertEquals(2, doomed.retired().size());
    assertTrue(doomed.doomedObjects() > 0, doomed.toString());
    assertHolds(copy, StoreRole.PRIMARY, 3);
    backUp(4, copy);
    PruneReport deleted = prune();

    assertTrue(deleted.deletedObjects() > 0, deleted.toString());
    assertFalse(packs().containsAll(before), "something went");
    assertHolds(copy, StoreRole.PRIMARY, 4);
    backUp(5, copy);
    prune();
    assertHolds(copy, StoreRole.PRIMARY, 5);
    MemorySink next = new MemorySink();
    copyTo(next, copy);
    assertHolds(next, StoreRole.COPY, 5);
  }

  @Test
  void what_was_doomed_before_is_deleted_where_it_still_is() throws IOException {
    backUp(1, primary);
    backUp(2, primary);
    assertTrue(pruning.prune(1).doomedObjects() > 0);
    copyTo(copy, primary);
    assertEquals(List.of(), promote());
    backUp(3, copy);
    prune();
    backUp(4, copy);
    prune();
    backUp(5, copy);
    prune();
    assertHolds(copy, StoreRole.PRIMARY, 5);
  }

  @Test
  void retention_goes_on_where_its_last_entries_and_those_of_a_writer_are_lost()
      throws IOException {
    backUp(1, primary);
    backUp(2, primary);
    copyTo(copy, primary);
    // Nobody copies any more: it is doomed, acknowledged and deleted over there.
    assertTrue(pruning.prune(1).doomedObjects() > 0);
    backUp(3, primary);
    assertTrue(pruning.prune(1).deletedObjects() > 0);
    backUp(4, primary);

    List<String> lost = promote();
    assertTrue(lost.stream().anyMatch(s -> s.startsWith("log/host-a/")), lost.toString());
    assertTrue(lost.stream().anyMatch(s -> s.startsWith("log/retention/")), lost.toString());
    assertHolds(copy, StoreRole.PRIMARY, 1, 2);

    backUp(5, copy);
    assertHolds(copy, StoreRole.PRIMARY, 1, 2, 5);
    PruneReport doomed = prune();
    assertEquals(2, doomed.retired().size());
    assertEquals(0, doomed.deletedObjects(), "what writers knew of entries that are lost is void");
    backUp(6, copy);
    PruneReport deleted = prune();
    assertTrue(deleted.deletedObjects() > 0, deleted.toString());
    assertHolds(copy, StoreRole.PRIMARY, 6);
  }

  private static ScriptedStream.Follow tens(long from, long to) {
    return session -> {
      for (long at = from; at < to; at += 10) {
        ScriptedStream.append(session, 1, at, at + 10);
      }
    };
  }

  private void record(BackupSink to, String name, long from, long until) throws Exception {
    record(to, name, from, tens(from, until));
  }

  /** A capture that stands there, and then what the script says. */
  private void record(BackupSink to, String name, long from, ScriptedStream.Follow script)
      throws Exception {
    Host there = new Host(host.directory, host.owner, to);
    ReplicaIT.captureAndRecord(there, pruning, name, from, from + 10, script);
  }

  private Coverage recorded(String snapshot) throws Exception {
    ReplayTarget target = new ReplayTarget();
    try (BackupRepository repository = at(copy)) {
      var plan =
          repository.planRestore(
              RestoreRequest.of(SnapshotRef.named(snapshot))
                  .upTo(RecoveryPoint.latest())
                  .target(Host.SOURCE, target));
      assertTrue(plan.isPossible(), plan.describe());
      var report = repository.check(Verification.full(owner));
      assertTrue(report.isIntact(), report.toString());
      assertEquals(List.of(), repository.catalog().damage());
    }
    return target.coverage.orElseThrow();
  }

  @Test
  void a_stream_goes_on_where_the_copy_has_it_all() throws Exception {
    record(primary, "a", 0, 100);
    copyTo(copy, primary);
    assertEquals(List.of(), promote());
    record(copy, "b", 100, 200);
    for (String base : List.of("a", "b")) {
      assertEquals(List.of(ToyLog.span(1, 0, 200)), recorded(base).ranges());
    }
  }

  /** Doomed while a stream is followed by its replica: what came last knows of it, and is there. */
  private String recordBeyondWhatWasDoomed() throws Exception {
    CountDownLatch first = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    CountDownLatch done = new CountDownLatch(1);
    ScriptedStream stream =
        ScriptedStream.doing(
            session -> {
              tens(0, 50).follow(session);
              first.countDown();
              ReplicaIT.awaited(goOn);
              tens(50, 100).follow(session);
            },
            done);
    BackupPlan plan =
        host.plan(primary).source(Host.SOURCE, StreamHost.capture(1, 0, 10)).stream(
                StreamHost.STREAM, stream)
            .replica(copy)
            .janitor(pruning.keys())
            .build();
    try (BackupEngine engine = host.with(plan).open()) {
      engine.backup(BackupRequest.full().named("z")).requireGood();
      engine.backup(BackupRequest.full().named("a")).requireGood();
      engine.stream(StreamHost.STREAM);
      try {
        ReplicaIT.awaited(first);
        ReplicaIT.awaitUpToDate(engine);
        assertTrue(pruning.prune(1).doomedObjects() > 0);
      } finally {
        goOn.countDown();
      }
      ReplicaIT.awaited(done);
      ReplicaIT.awaitUpToDate(engine);
    }
    Set<ObjectName> lost = new TreeSet<>(primary.raw().names());
    lost.removeAll(copy.raw().names());
    lost.removeIf(n -> !n.value().startsWith("log/retention/"));
    assertFalse(lost.isEmpty(), "retention is ahead of the copy");
    return List.copyOf(lost).get(lost.size() - 1).value();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_stream_goes_on_where_what_it_had_read_of_retention_is_lost(boolean isHere)
      throws Exception {
    final String newest = recordBeyondWhatWasDoomed();
    List<String> lost = promote(isHere ? at(copy) : elsewhere(copy).open());
    assertTrue(lost.contains(newest), lost.toString());
    record(copy, "b", 100, 200);
    assertEquals(List.of(ToyLog.span(1, 0, 200)), recorded("b").ranges());
    // Retention takes slots of its own, and everybody knows of it again.
    assertTrue(prune().doomedObjects() > 0);
    assertFalse(copy.raw().names().contains(ObjectName.of(newest)), "nobody takes a slot twice");
    record(copy, "c", 200, 300);
    prune();
    record(copy, "d", 300, 310);
    assertTrue(prune().deletedObjects() > 0);
    assertEquals(List.of(ToyLog.span(1, 200, 310)), recorded("d").ranges());
  }

  @Test
  void nothing_is_removed_from_a_copy_that_becomes_the_primary_meanwhile() throws Exception {
    backUp(1, primary);
    backUp(2, primary);
    copyTo(copy, primary);
    assertTrue(pruning.prune(1).doomedObjects() > 0);
    backUp(3, primary);
    assertTrue(pruning.prune(1).deletedObjects() > 0);
    copyTo(copy, primary);
    final Set<ObjectName> before = packs();
    AtomicBoolean isPromoted = new AtomicBoolean();
    BackupSink watched =
        HookedStore.on(
            copy,
            operation -> {
              if (operation.startsWith("list ") && isPromoted.compareAndSet(false, true)) {
                promote(elsewhere(copy).open());
              }
            });
    try (BackupRepository repository = at(primary)) {
      var e =
          assertThrows(
              BackupException.Refused.class,
              () -> repository.copy(CopyRequest.to(watched).followingDeletions()));
      assertEquals(CoreFailure.COPY_CONFLICT, e.code(), e.getMessage());
    }
    assertTrue(isPromoted.get());
    assertEquals(before, packs());
  }

  @Test
  void a_stream_goes_on_behind_a_gap_where_its_end_is_lost() throws Exception {
    record(primary, "a", 0, 100);
    copyTo(copy, primary);
    record(primary, "b", 100, 150);
    List<String> lost = promote();
    assertTrue(
        lost.stream().anyMatch(s -> s.startsWith("log/" + StreamHost.LOG + "/")), lost.toString());
    assertTrue(lost.stream().anyMatch(s -> s.startsWith("log/host-a/")), lost.toString());
    StreamGap burnt = new StreamGap(ToyLog.at(1, 100), ToyLog.at(1, 150), "site a burnt");
    record(
        copy,
        "c",
        150,
        session -> {
          assertEquals(Optional.of(ToyLog.at(1, 100)), session.durable());
          session.gap(burnt);
          tens(150, 250).follow(session);
        });
    Coverage all = recorded("c");
    assertEquals(List.of(ToyLog.span(1, 0, 100), ToyLog.span(1, 150, 250)), all.ranges());
    assertEquals(List.of(burnt), all.gaps());
    // What was recorded before is of use up to the gap, and retention lets go of it with its base.
    record(copy, "d", 250, 260);
    PruneReport doomed = prune();
    assertTrue(doomed.doomedObjects() > 0, doomed.toString());
    record(copy, "e", 260, 270);
    assertTrue(prune().deletedObjects() > 0);
    assertEquals(List.of(ToyLog.span(1, 250, 270)), recorded("e").ranges());
  }
}
