package org.stellaops.backup.postgres;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.RestoreHarness;

/** Standbys, made from our own backups, and what tests wait for on them. */
final class Standbys {
  private static final int ATTEMPTS = 600;

  private Standbys() {}

  /** One that streams from {@code primary}, which may be a standby itself. */
  static PostgresServer of(PostgresServer primary, Path data, Map<String, String> settings)
      throws IOException {
    var captured = CaptureHarness.of(PostgresSource.physical(primary.connection())).capture();
    RestoreHarness.of(PostgresTarget.directory(data), captured).restore();
    return PostgresServer.startStandby(primary, data, settings);
  }

  /** Waits until a standby has replayed all that is on its primary's disk. */
  static void awaitReplayed(PostgresServer standby, PostgresServer primary) throws SQLException {
    String flushed = Clusters.single(primary, "SELECT pg_current_wal_flush_lsn()");
    await(standby, "SELECT pg_last_wal_replay_lsn() >= '" + flushed + "'");
  }

  /** Has a primary make a checkpoint, and waits until the standby begins its backups there. */
  static void checkpoint(PostgresServer standby, PostgresServer primary) throws SQLException {
    Clusters.execute(primary, "CHECKPOINT");
    awaitReplayed(standby, primary);
    Clusters.execute(standby, "CHECKPOINT");
  }

  /** Promotes a standby. */
  static void promote(PostgresServer standby) throws SQLException {
    Clusters.single(standby, "SELECT pg_promote()");
    await(standby, "SELECT NOT pg_is_in_recovery()");
  }

  /** Asks again and again until it is true. */
  static void await(PostgresServer server, String question) throws SQLException {
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement()) {
      for (int i = 0; i < ATTEMPTS; i++) {
        if ("t".equals(Clusters.single(server, question))) {
          return;
        }
        statement.execute("SELECT pg_sleep(0.05)");
      }
    }
    throw new AssertionError("never true: " + question);
  }
}
