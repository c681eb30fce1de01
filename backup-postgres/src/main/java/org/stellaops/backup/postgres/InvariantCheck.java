package org.stellaops.backup.postgres;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;

/** Asks what the caller says must hold; only its answer counts, an error is a failure, too. */
final class InvariantCheck {
  private static final int MAX_SHOWN = 200;

  private final Connection sql;
  private final IntegrityTally tally;

  InvariantCheck(Connection sql, IntegrityTally tally) {
    this.sql = sql;
    this.tally = tally;
  }

  void run(Invariant invariant, Duration toAnswer) throws SQLException {
    tally.invariants++;
    Savepoint before = sql.setSavepoint();
    try (Statement statement = sql.createStatement()) {
      statement.execute("SET LOCAL transaction_read_only = on");
      statement.execute("SET LOCAL search_path TO DEFAULT");
      statement.execute("SET LOCAL statement_timeout = " + Math.max(1, toAnswer.toMillis()));
      found(statement, invariant)
          .ifPresent(
              found -> tally.found(PostgresFailure.INVARIANT_BROKEN, invariant.name(), found));
    } catch (SQLException e) {
      if (IntegrityRun.isOver(e)) {
        throw e;
      }
      tally.found(PostgresFailure.INVARIANT_BROKEN, invariant.name(), IntegrityRun.said(e));
    }
    // Takes back the settings, too.
    sql.rollback(before);
    sql.releaseSavepoint(before);
  }

  /** What is not as it should be. */
  private static Optional<String> found(Statement statement, Invariant invariant)
      throws SQLException {
    String expected = invariant.expected() == null ? "true" : invariant.expected();
    try (ResultSet rows = statement.executeQuery(invariant.sql())) {
      if (!rows.next()) {
        return Optional.of("expected %s, found no row".formatted(expected));
      }
      int columns = rows.getMetaData().getColumnCount();
      Object value = rows.getObject(1);
      String text = value instanceof Boolean ? value.toString() : rows.getString(1);
      boolean isRight =
          invariant.expected() == null ? Boolean.TRUE.equals(value) : expected.equals(text);
      if (columns != 1 || rows.next()) {
        return Optional.of("expected one value, found more than one");
      }
      return isRight
          ? Optional.empty()
          : Optional.of("expected %s, found %s".formatted(expected, shown(text)));
    }
  }

  private static String shown(String text) {
    String all = String.valueOf(text);
    return all.length() > MAX_SHOWN ? all.substring(0, MAX_SHOWN) + "…" : all;
  }
}
