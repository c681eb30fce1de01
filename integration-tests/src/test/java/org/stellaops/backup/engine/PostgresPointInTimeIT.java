package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.RunningStream;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresSource;
import org.stellaops.backup.postgres.PostgresTarget;
import org.stellaops.backup.postgres.PostgresWal;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.testkit.MemorySink;

/** A cluster whose WAL is recorded can be taken to any point since its base backup. */
class PostgresPointInTimeIT {
  private static final Duration SOON = Duration.ofSeconds(30);

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private PostgresServer server;
  private AgeIdentity owner;
  private BackupEngine engine;
  private RunningStream wal;
  private int restores;

  private void start(int major) throws Exception {
    server =
        PostgresServer.start(
            PostgresBinaries.of(major),
            root.resolve("cluster"),
            Map.of("max_slot_wal_keep_size", "2GB"));
    owner = AgeIdentity.generate();
    Host host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    engine =
        host.with(
                host
                    .plan(sink)
                    .source("database", PostgresSource.physical(server.connection()))
                    .stream("wal", PostgresWal.of(server.connection(), "stella"))
                    .build())
            .open();
    Sql.execute(
        server,
        "CREATE TABLE counter (n int PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())");
    wal = engine.stream("wal");
  }

  @AfterEach
  void stopAll() throws Exception {
    engine.close();
    owner.close();
    server.close();
    sink.assertNothingOpen();
  }

  /** Commits one row, and returns the server's clock behind it. */
  private Instant count(int n) throws SQLException {
    Sql.execute(server, "INSERT INTO counter VALUES (" + n + ")");
    return Sql.now(server);
  }

  private void awaitRecorded() throws Exception {
    String system = Sql.ask(server, "SELECT system_identifier FROM pg_control_system()");
    long timeline =
        Long.parseLong(Sql.ask(server, "SELECT timeline_id FROM pg_control_checkpoint()"));
    assertTrue(
        wal.await(Sql.flushed(server).in(system, timeline), SOON), () -> wal.status().toString());
  }

  private RestorePlan plan(RecoveryPoint point, Path to) throws BackupException {
    return engine.planRestore(
        RestoreRequest.at(point).with(owner).target("database", PostgresTarget.directory(to)));
  }

  /** The highest number in a cluster that was taken to this point. */
  private String highest(RecoveryPoint point) throws Exception {
    Path to = root.resolve("restored-" + restores++);
    RestorePlan plan = plan(point, to);
    assertTrue(plan.isPossible(), plan.describe());
    engine.restore(plan, Confirmation.of(plan.digest()));
    try (PostgresServer restored =
        PostgresServer.start(server.binaries(), to, Map.of("archive_mode", "off"))) {
      Sql.awaitOpen(restored);
      assertFalse(Files.exists(to.resolve("restored_wal")), "staged WAL is left");
      return Sql.ask(restored, "SELECT count(*) || ' up to ' || max(n) FROM counter");
    }
  }

  private void assertBlocked(FailureCode code, RecoveryPoint point) throws BackupException {
    RestorePlan plan = plan(point, root.resolve("never"));
    assertEquals(
        List.of(code), plan.blockers().stream().map(Finding::code).toList(), plan.describe());
  }

  @ParameterizedTest
  @ValueSource(ints = 18)
  void every_kind_of_point_is_reached_exactly(int major) throws Exception {
    reachEveryKindOfPoint(major);
  }

  @ParameterizedTest
  @Tag("interop")
  @ValueSource(ints = {15, 16, 17})
  void every_kind_of_point_is_reached_exactly_on_the_other_versions(int major) throws Exception {
    reachEveryKindOfPoint(major);
  }

  private void reachEveryKindOfPoint(int major) throws Exception {
    start(major);
    count(1);
    Instant before = Sql.now(server);
    engine.backup(BackupRequest.full().named("base")).requireGood();
    Instant one = count(2);
    count(3);
    Sql.execute(server, "SELECT pg_create_restore_point('before the flood')");
    Lsn position = Sql.flushed(server);
    count(4);
    String xid;
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement()) {
      sql.setAutoCommit(false);
      statement.execute("INSERT INTO counter VALUES (5)");
      try (ResultSet rows = statement.executeQuery("SELECT pg_current_xact_id()::text")) {
        rows.next();
        xid = rows.getString(1);
      }
      sql.commit();
    }
    Sql.execute(server, "SELECT pg_switch_wal()");
    count(6);
    Instant last = Sql.now(server);
    awaitRecorded();

    assertEquals("2 up to 2", highest(RecoveryPoint.at(one)));
    assertEquals("3 up to 3", highest(RecoveryPoint.atMark("before the flood")));
    assertEquals("3 up to 3", highest(position.before()));
    assertEquals("5 up to 5", highest(RecoveryPoint.atTransaction(Long.parseLong(xid))));
    assertEquals("4 up to 4", highest(RecoveryPoint.beforeTransaction(Long.parseLong(xid))));
    assertEquals("6 up to 6", highest(RecoveryPoint.latest()));
    assertEquals("1 up to 1", highest(RecoveryPoint.immediate()));

    assertBlocked(CoreFailure.POINT_TOO_LATE, RecoveryPoint.at(last.plusSeconds(3600)));
    assertBlocked(CoreFailure.POINT_UNKNOWN, RecoveryPoint.atMark("after the flood"));
    assertBlocked(CoreFailure.POINT_TOO_EARLY, RecoveryPoint.atTransaction(7));
    BackupException.Refused tooEarly =
        assertThrows(
            BackupException.Refused.class,
            () -> plan(RecoveryPoint.at(before.minusSeconds(3600)), root.resolve("never")));
    assertEquals(CoreFailure.POINT_TOO_EARLY, tooEarly.code());
  }
}
