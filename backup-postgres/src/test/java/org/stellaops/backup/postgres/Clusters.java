package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.stellaops.backup.postgres.fixture.PostgresServer;

/** What several tests ask a server. */
final class Clusters {
  private static final int ATTEMPTS = 200;

  private Clusters() {}

  /** The server ends a WAL sender when it finds its socket closed, which may take a moment. */
  static void requireNoWalSender(PostgresServer server) throws SQLException {
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement()) {
      int senders = walSenders(statement);
      for (int i = 0; senders > 0 && i < ATTEMPTS; i++) {
        statement.execute("SELECT pg_sleep(0.05)");
        senders = walSenders(statement);
      }
      assertEquals(0, senders, "WAL senders that nobody listens to");
    }
  }

  static void execute(PostgresServer server, String... commands) throws SQLException {
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement()) {
      for (String command : commands) {
        statement.execute(command);
      }
    }
  }

  private static int walSenders(Statement statement) throws SQLException {
    try (ResultSet rows = statement.executeQuery("SELECT count(*) FROM pg_stat_replication")) {
      rows.next();
      return rows.getInt(1);
    }
  }
}
