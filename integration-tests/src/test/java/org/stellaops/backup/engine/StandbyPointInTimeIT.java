package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.postgres.PostgresIntegrity;
import org.stellaops.backup.postgres.PostgresSource;
import org.stellaops.backup.postgres.PostgresTarget;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.MemorySink;
import org.stellaops.backup.testkit.RestoreHarness;

/** The base backup is a standby's, the WAL the primary's: together they lead to any instant. */
@Tag("interop")
class StandbyPointInTimeIT {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final Duration ROUND = Duration.ofMillis(700);

  private static final Map<String, String> SETTINGS =
      Map.of(
          "max_slot_wal_keep_size", "2GB",
          "wal_keep_size", "1GB",
          "track_commit_timestamp", "on");

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private AgeIdentity owner;
  private PostgresServer primary;
  private PostgresServer standby;
  private Recording recording;
  private int restores;

  @AfterEach
  void stopAll() throws Exception {
    recording.close();
    owner.close();
    standby.close();
    primary.close();
    sink.assertNothingOpen();
  }

  @ParameterizedTest
  @ValueSource(ints = {15, 18})
  void an_instant_behind_a_base_backup_of_a_standby_is_reached_exactly(int major) throws Exception {
    start(major);
    Instant end;
    try (CountingLoad load = CountingLoad.on(primary, major, 1)) {
      load.run(ROUND);
      recording.backUp("base");
      load.run(ROUND);
      end = Sql.now(primary);
      load.run(ROUND);
    }
    awaitRecorded();
    List<Instant> commits = CountingLoad.commits(primary);
    Instant earliest = recoverableFrom();
    assertTrue(earliest.isBefore(end), earliest + " and " + end);
    assertFalse(earliest.isBefore(commits.get(0)), earliest + " and " + commits.get(0));

    Instant soon = CountingLoad.inGap(commits, earliest.plusMillis(5));
    assertReached(soon.isBefore(earliest) ? earliest : soon);
    assertReached(CountingLoad.inGap(commits, end));
    List<Finding> blockers =
        recording
            .plan(to(RecoveryPoint.at(earliest.minusMillis(1))), target(root.resolve("never")))
            .blockers();
    assertEquals(CoreFailure.POINT_TOO_EARLY, blockers.get(0).code(), blockers::toString);
  }

  private void start(int major) throws Exception {
    primary = PostgresServer.start(PostgresBinaries.of(major), root.resolve("primary"), SETTINGS);
    CountingLoad.prepare(primary, "pg_default");
    Path data = root.resolve("standby");
    var made = CaptureHarness.of(PostgresSource.physical(primary.connection())).capture();
    RestoreHarness.of(target(data), made).restore();
    standby = PostgresServer.startStandby(primary, data, SETTINGS);
    // Captured with its settings; a restore that waited as long would not end in time.
    Sql.execute(standby, "ALTER SYSTEM SET recovery_min_apply_delay = '6h'");
    owner = AgeIdentity.generate();
    Host host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    recording = Recording.of(host, standby, primary.connection(), wal -> wal);
  }

  private void awaitRecorded() throws Exception {
    String system = Sql.ask(primary, "SELECT system_identifier FROM pg_control_system()");
    assertTrue(
        recording.wal.await(Sql.flushed(primary).in(system, 1), SOON),
        () -> recording.wal.status().toString());
  }

  private Instant recoverableFrom() throws Exception {
    return recording
        .engine
        .catalog()
        .find(SnapshotRef.named("base"))
        .orElseThrow()
        .captures()
        .stream()
        .flatMap(capture -> capture.span().stream())
        .findFirst()
        .orElseThrow()
        .recoverableFrom();
  }

  private void assertReached(Instant instant) throws Exception {
    String expected = Sql.ask(primary, CountingLoad.hashUpTo(instant));
    PostgresIntegrity integrity =
        PostgresIntegrity.standard()
            .bringingAmcheck()
            .recoveringWithin(Duration.ofMinutes(3))
            .expect("postgres", instant + ": rows", CountingLoad.hashNow(), expected);
    recording.restore(
        to(RecoveryPoint.at(instant)),
        target(root.resolve("restored-" + restores++)).provenBy(Sql.programs(primary), integrity));
  }

  private RestoreRequest to(RecoveryPoint point) {
    return RestoreRequest.of(SnapshotRef.named("base")).upTo(point).with(owner);
  }

  private static PostgresTarget target(Path data) {
    return PostgresTarget.directory(data);
  }
}
