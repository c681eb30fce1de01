package org.stellaops.backup.engine;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.fixture.PostgresServer;

/** Looks all the time how far a server was told that its WAL is flushed by who receives it. */
final class FlushWatch implements AutoCloseable {
  private static final Duration LOOK_EVERY = Duration.ofMillis(5);
  private static final String QUERY =
      """
      SELECT greatest((SELECT max(flush_lsn) FROM pg_stat_replication),
                      (SELECT max(restart_lsn) FROM pg_replication_slots))
      """;

  private final CompletableFuture<Void> looking;
  private volatile Lsn furthest = new Lsn(0);
  private volatile boolean isOver;

  private FlushWatch(PostgresServer server) {
    this.looking = CompletableFuture.runAsync(() -> look(server));
  }

  static FlushWatch on(PostgresServer server) {
    return new FlushWatch(server);
  }

  private void look(PostgresServer server) {
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement()) {
      while (!isOver) {
        try (ResultSet row = statement.executeQuery(QUERY)) {
          row.next();
          heard(row.getString(1));
        }
        LockSupport.parkNanos(LOOK_EVERY.toNanos());
      }
    } catch (java.sql.SQLException e) {
      throw new AssertionError(e);
    }
  }

  private void heard(String told) {
    if (told != null && Lsn.parse(told).compareTo(furthest) > 0) {
      furthest = Lsn.parse(told);
    }
  }

  /** The furthest place that the server was seen to know as flushed, ever. */
  Lsn furthest() {
    return furthest;
  }

  /** Fails if it could not look. */
  @Override
  public void close() {
    isOver = true;
    looking.orTimeout(30, TimeUnit.SECONDS).join();
  }
}
