package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
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

  /** The first column of the first row. */
  static String single(PostgresServer server, String query) throws SQLException {
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      rows.next();
      return rows.getString(1);
    }
  }

  /** Where a file holds these bytes for the first time. */
  static long find(Path file, byte[] wanted) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 20)) {
      int matched = 0;
      for (long offset = 0; ; offset++) {
        int b = in.read();
        if (b < 0) {
          throw new AssertionError("not found in " + file);
        }
        matched = b == wanted[matched] ? matched + 1 : b == wanted[0] ? 1 : 0;
        if (matched == wanted.length) {
          return offset - wanted.length + 1;
        }
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
