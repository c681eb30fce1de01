package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresPrograms;
import org.stellaops.backup.postgres.fixture.PostgresServer;

/** What the tests of recorded clusters ask their servers, each over a session of its own. */
final class Sql {
  private static final Duration LONGEST = Duration.ofSeconds(60);
  private static final Duration LOOK_EVERY = Duration.ofMillis(20);

  private Sql() {}

  static void execute(PostgresServer server, String... commands) throws SQLException {
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement()) {
      for (String command : commands) {
        statement.execute(command);
      }
    }
  }

  /** The first column of the first row. */
  static String ask(PostgresServer server, String query) throws SQLException {
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      rows.next();
      return rows.getString(1);
    }
  }

  /** The server's clock. */
  static Instant now(PostgresServer server) throws SQLException {
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery("SELECT clock_timestamp()")) {
      rows.next();
      return rows.getObject(1, OffsetDateTime.class).toInstant();
    }
  }

  /** How far a primary's WAL is on its disk. */
  static Lsn flushed(PostgresServer server) throws SQLException {
    return Lsn.parse(ask(server, "SELECT pg_current_wal_flush_lsn()"));
  }

  /** Waits until a server takes writes. */
  static void awaitOpen(PostgresServer server) throws Exception {
    until(() -> ask(server, "SELECT pg_is_in_recovery()").equals("f"), () -> "still recovering");
  }

  /** Looks again and again; what it waits for has no event of its own. */
  static void until(Callable<Boolean> isSo, Supplier<String> what) throws Exception {
    long end = System.nanoTime() + LONGEST.toNanos();
    while (!isSo.call()) {
      if (System.nanoTime() > end) {
        fail("waited for " + LONGEST + ": " + what.get());
      }
      LockSupport.parkNanos(LOOK_EVERY.toNanos());
    }
  }

  /** Lets time go by. */
  static void pause(Duration time) {
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < end) {
      LockSupport.parkNanos(end - System.nanoTime());
    }
  }

  /** The programs of a server; root starts one in a user namespace, as the fixture does. */
  static PostgresPrograms programs(PostgresServer server) throws IOException {
    PostgresPrograms bare = PostgresPrograms.in(server.binaries().home().resolve("bin"));
    boolean isRoot = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
    return isRoot ? bare.launchedBy("unshare", "-U") : bare;
  }
}
