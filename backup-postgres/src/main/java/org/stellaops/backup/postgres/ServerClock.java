package org.stellaops.backup.postgres;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.internal.wire.Logins;

/**
 * A server's clock, asked once: what it shows later is told from the time that has passed here.
 *
 * @param shown what it showed
 * @param askedNanos {@link System#nanoTime} before it was asked
 */
record ServerClock(Instant shown, long askedNanos) {
  /** Asks over a session of its own; empty where the role may replicate and nothing else. */
  static Optional<ServerClock> ask(PostgresConnection connection) {
    try (Connection sql = Logins.forQueries(connection);
        Statement statement = sql.createStatement()) {
      long asked = System.nanoTime();
      try (ResultSet row = statement.executeQuery("SELECT clock_timestamp()")) {
        return row.next()
            ? Optional.of(
                new ServerClock(row.getObject(1, OffsetDateTime.class).toInstant(), asked))
            : Optional.empty();
      }
    } catch (BackupException.Source | SQLException e) {
      return Optional.empty();
    }
  }

  /** What it shows now, or a little more: never less. */
  Instant atMost() {
    return shown.plusNanos(System.nanoTime() - askedNanos);
  }
}
