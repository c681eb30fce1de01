package org.stellaops.backup.postgres.internal.receive;

import java.io.Closeable;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.postgres.PostgresConnection;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.internal.wire.Logins;
import org.stellaops.backup.postgres.internal.wire.SlotName;
import org.stellaops.backup.spi.StreamSession;

/**
 * Looks how much WAL a server keeps for a slot, over a session of its own, so also while nothing
 * can be stored, and says so when it becomes dangerous or harmless. One thread.
 */
final class SlotWatch implements Runnable, Closeable {
  private static final String QUERY =
      """
      SELECT wal_status, safe_wal_size,
             CASE current_setting('max_slot_wal_keep_size')
               WHEN '-1' THEN NULL
               ELSE pg_size_bytes(current_setting('max_slot_wal_keep_size')) END AS allowed
        FROM pg_replication_slots WHERE slot_name = ?
      """;

  private final PostgresConnection connection;
  private final SlotName slot;
  private final StreamSession session;
  private @Nullable Connection sql;
  private @Nullable FailureCode told;

  SlotWatch(PostgresConnection connection, SlotName slot, StreamSession session) {
    this.connection = connection;
    this.slot = slot;
    this.session = session;
  }

  @Override
  public void run() {
    try {
      look(open());
    } catch (BackupException.Source | SQLException e) {
      close();
      tell(PostgresFailure.SLOT_UNWATCHED, "how much WAL it holds is unknown: " + e.getMessage());
    }
  }

  private Connection open() throws BackupException.Source {
    Connection open = sql;
    if (open == null) {
      open = Logins.forQueries(connection);
      sql = open;
    }
    return open;
  }

  private void look(Connection open) throws SQLException {
    try (PreparedStatement statement = open.prepareStatement(QUERY)) {
      statement.setString(1, slot.value());
      try (ResultSet row = statement.executeQuery()) {
        if (row.next()) {
          judge(new SlotHold(String.valueOf(row.getString(1)), optional(row, 2), optional(row, 3)));
        }
      }
    }
  }

  private static OptionalLong optional(ResultSet row, int column) throws SQLException {
    long value = row.getLong(column);
    return row.wasNull() ? OptionalLong.empty() : OptionalLong.of(value);
  }

  /** Tells what was not told the last time. */
  void judge(SlotHold hold) {
    Optional<SlotHold.Alarm> alarm = hold.alarm();
    if (alarm.isPresent()) {
      tell(alarm.get().code(), alarm.get().found());
    } else {
      told = null;
    }
  }

  private void tell(FailureCode code, String found) {
    if (code != told) {
      told = code;
      session.finding(new Finding(code, slot.value(), found));
    }
  }

  @Override
  public void close() {
    Connection open = sql;
    sql = null;
    if (open != null) {
      try {
        open.close();
      } catch (SQLException alreadyGone) {
        // It is not needed any more.
      }
    }
  }
}
