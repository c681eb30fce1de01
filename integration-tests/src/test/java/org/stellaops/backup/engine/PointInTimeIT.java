package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.testkit.MemorySink;

/** Plans of restores to a point: from which snapshot, and with what of a stream. */
class PointInTimeIT {
  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private AgeIdentity owner;
  private StreamHost host;

  @BeforeEach
  void make() throws IOException {
    owner = AgeIdentity.generate();
    host = new StreamHost(root.resolve("host"), owner, sink);
  }

  @AfterEach
  void nothingIsOpen() {
    owner.close();
    sink.assertNothingOpen();
  }

  /** Snapshots at 100, 200 and 300 of a stream that goes to 400. */
  private void threeSnapshots() throws Exception {
    host.backUp("first", 1, 90, 100);
    host.backUp("second", 1, 190, 200);
    host.backUp("third", 1, 290, 300);
    host.record(session -> ScriptedStream.append(session, 1, 0, 400));
  }

  private static RestoreRequest at(long second, ReplayTarget target) {
    return RestoreRequest.at(ToyLog.time(second)).target(Host.SOURCE, target);
  }

  private String chosen(RestoreRequest request) throws IOException {
    try (BackupRepository repository = host.repository()) {
      RestorePlan plan = repository.planRestore(request);
      return repository.catalog().info(plan.snapshot()).name().value();
    }
  }

  @Test
  void the_newest_good_snapshot_that_is_not_beyond_the_instant_is_chosen() throws Exception {
    threeSnapshots();
    ReplayTarget target = new ReplayTarget();
    assertEquals("first", chosen(at(100, target)));
    assertEquals("first", chosen(at(199, target)));
    assertEquals("second", chosen(at(200, target)));
    assertEquals("third", chosen(at(1000, target)));
    assertEquals(Optional.of(RecoveryPoint.at(ToyLog.time(1000))), target.point);
    assertEquals(400, target.coverage.orElseThrow().lengthBytes());
    assertEquals(
        "third", chosen(RestoreRequest.at(RecoveryPoint.latest()).target("files", target)));
    assertEquals(
        "second",
        chosen(
            RestoreRequest.at(new RecoveryPoint.AtPosition(250, "0/fa", true))
                .target("files", target)));
  }

  @Test
  void a_reference_to_what_leads_to_a_point_means_the_same_snapshot() throws Exception {
    threeSnapshots();
    try (BackupRepository repository = host.repository()) {
      assertEquals(
          "second",
          repository
              .catalog()
              .info(SnapshotRef.reaching(RecoveryPoint.at(ToyLog.time(250))))
              .name()
              .value());
    }
  }

  @Test
  void an_older_one_is_chosen_where_the_target_says_that_the_point_is_too_early() throws Exception {
    threeSnapshots();
    List<Long> asked = new ArrayList<>();
    ReplayTarget target =
        new ReplayTarget(
            planning -> {
              long end = planning.requested().header().span().orElseThrow().end().offset();
              asked.add(end);
              if (end > 100) {
                planning.blocker(new Finding(CoreFailure.POINT_TOO_EARLY, "files", "other branch"));
              }
            });
    assertEquals("first", chosen(at(350, target)));
    assertEquals(List.of(300L, 200L, 100L), asked);
  }

  @Test
  void where_every_snapshot_is_too_late_the_plan_says_so() throws Exception {
    threeSnapshots();
    ReplayTarget target =
        new ReplayTarget(
            planning ->
                planning.blocker(
                    new Finding(CoreFailure.POINT_TOO_EARLY, "files", "other branch")));
    try (BackupRepository repository = host.repository()) {
      RestorePlan plan = repository.planRestore(at(350, target));
      assertFalse(plan.isPossible());
      assertEquals(1, plan.blockers().size());
    }
  }

  @Test
  void an_instant_before_everything_is_refused_with_the_earliest() throws Exception {
    threeSnapshots();
    try (BackupRepository repository = host.repository()) {
      var refused =
          assertThrows(
              BackupException.Refused.class,
              () -> repository.planRestore(at(99, new ReplayTarget())));
      assertEquals(CoreFailure.POINT_TOO_EARLY, refused.code());
      assertTrue(refused.getMessage().contains(ToyLog.time(100).toString()), refused.getMessage());
    }
  }

  @Test
  void a_snapshot_that_is_not_good_is_not_chosen() throws Exception {
    threeSnapshots();
    var degraded =
        ScriptedSource.capturing(
            session -> {
              session.artifact(ArtifactName.of("base"), Form.CONTENT, out -> out.write(1));
              session.expect(InventoryItem.of("base", 2, 12));
              session.span(new CaptureSpan(ToyLog.at(1, 340), ToyLog.at(1, 350), ToyLog.time(350)));
              session.captured(InventoryItem.of("base", 1, 6));
            });
    host.host.backUp(degraded, "degraded");
    assertEquals("third", chosen(at(390, new ReplayTarget())));
  }

  @Test
  void consent_stays_valid_while_the_stream_goes_on_and_nothing_newer_is_seen() throws Exception {
    host.backUp("first", 1, 0, 10);
    host.record(
        session -> {
          ScriptedStream.append(session, 1, 0, 50);
          ScriptedStream.append(session, 1, 50, 100);
        });
    ReplayTarget target = new ReplayTarget();
    try (BackupRepository repository = host.repository()) {
      RestorePlan plan =
          repository.planRestore(
              RestoreRequest.at(RecoveryPoint.latest()).target(Host.SOURCE, target));
      host.record(
          session -> {
            ScriptedStream.append(session, 1, 100, 200);
            ScriptedStream.merge(session, 1, 0, 200);
            ScriptedStream.append(session, 2, 150, 250);
          });
      repository.restore(plan, Confirmation.of(plan.digest()));
      assertEquals(List.of(ToyLog.span(1, 0, 100)), target.restored.orElseThrow().ranges());
    }
  }

  @Test
  void what_was_planned_with_and_is_gone_makes_the_plan_stale() throws Exception {
    host.backUp("first", 1, 0, 10);
    host.record(session -> ScriptedStream.append(session, 1, 0, 50));
    host.record(session -> ScriptedStream.append(session, 1, 50, 100));
    try (BackupRepository repository = host.repository()) {
      RestorePlan plan =
          repository.planRestore(
              RestoreRequest.at(RecoveryPoint.latest()).target(Host.SOURCE, new ReplayTarget()));
      sink.raw().remove(ObjectName.of("log/" + StreamHost.LOG + "/0000000002.entry"));
      var refused =
          assertThrows(
              BackupException.Refused.class,
              () -> repository.restore(plan, Confirmation.of(plan.digest())));
      assertEquals(CoreFailure.PLAN_STALE, refused.code());
    }
  }

  @Test
  void sources_without_a_history_come_from_the_same_snapshot() throws Exception {
    var plan =
        host.host
            .plan(sink)
            .source(Host.SOURCE, StreamHost.capture(1, 0, 10))
            .source("config", BytesSource.of("a", new byte[] {1}))
            .build();
    try (BackupEngine engine = host.host.with(plan).open()) {
      engine.backup(BackupRequest.full().named("both")).requireGood();
    }
    host.record(session -> ScriptedStream.append(session, 1, 0, 100));
    ReplayTarget replay = new ReplayTarget();
    BytesSource.Target bytes = new BytesSource.Target();
    try (BackupRepository repository = host.repository()) {
      RestorePlan restore = repository.planRestore(at(50, replay).target("config", bytes));
      assertTrue(restore.isPossible(), restore.blockers()::toString);
      repository.restore(restore, Confirmation.of(restore.digest()));
    }
    assertEquals(1, bytes.restored.size());
    assertTrue(replay.restored.isPresent());
  }

  @Test
  void without_any_history_nothing_can_be_replayed() throws Exception {
    host.host.backUp(BytesSource.of("a", "x".getBytes(StandardCharsets.UTF_8)), "plain");
    try (BackupRepository repository = host.repository()) {
      RestorePlan plan =
          repository.planRestore(
              RestoreRequest.of(SnapshotRef.named("plain"))
                  .upTo(RecoveryPoint.latest())
                  .target(Host.SOURCE, new BytesSource.Target()));
      assertEquals(
          List.of(CoreFailure.STREAM_MISSING),
          plan.blockers().stream().map(Finding::code).toList());
      var refused =
          assertThrows(
              BackupException.Refused.class,
              () -> repository.planRestore(at(50, new ReplayTarget())));
      assertEquals(CoreFailure.POINT_TOO_EARLY, refused.code());
    }
  }

  @Test
  void a_target_that_cannot_replay_blocks_instead_of_restoring_something_else() throws Exception {
    threeSnapshots();
    try (BackupRepository repository = host.repository()) {
      RestorePlan plan =
          repository.planRestore(
              RestoreRequest.at(ToyLog.time(250)).target(Host.SOURCE, new BytesSource.Target()));
      assertEquals(
          List.of(CoreFailure.TARGET_MISSING),
          plan.blockers().stream().map(Finding::code).toList());
    }
  }

  @Test
  void consent_to_one_point_is_none_to_another() throws Exception {
    threeSnapshots();
    try (BackupRepository repository = host.repository()) {
      RestorePlan one = repository.planRestore(at(250, new ReplayTarget()));
      RestorePlan other = repository.planRestore(at(251, new ReplayTarget()));
      var refused =
          assertThrows(
              BackupException.Refused.class,
              () -> repository.restore(other, Confirmation.of(one.digest())));
      assertEquals(CoreFailure.PLAN_STALE, refused.code());
    }
  }
}
