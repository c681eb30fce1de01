package org.stellaops.backup.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.stellaops.backup.postgres.fixture.PostgresServer;

/** One client that commits row after row into {@code ticks}, numbered without gaps. */
final class TickingLoad implements AutoCloseable {
  /** Makes the table. */
  static final String TABLE = "CREATE TABLE ticks (id bigint PRIMARY KEY, filler text)";

  private final ExecutorService executor = Executors.newSingleThreadExecutor();
  private final AtomicBoolean isStopped = new AtomicBoolean();
  private final Object committed = new Object();
  private final Future<Long> rows;
  private long count;

  TickingLoad(PostgresServer server) {
    rows = executor.submit(() -> run(server));
  }

  private long run(PostgresServer server) throws SQLException {
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement()) {
      while (!isStopped.get()) {
        statement.execute("INSERT INTO ticks VALUES (%d, repeat('x', 500))".formatted(count + 1));
        synchronized (committed) {
          count++;
          committed.notifyAll();
        }
      }
    }
    return count;
  }

  /** Returns how many rows there are. */
  long waitForCommits(long least) throws InterruptedException {
    synchronized (committed) {
      while (count < least && !rows.isDone()) {
        committed.wait(1000);
      }
      return count;
    }
  }

  /** Ends it; returns how many rows there are. */
  long stop() throws Exception {
    isStopped.set(true);
    return rows.get();
  }

  @Override
  public void close() {
    isStopped.set(true);
    executor.shutdown();
  }
}
