package org.stellaops.backup.postgres;

import java.io.Closeable;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.postgres.internal.wire.Logins;
import org.stellaops.backup.spi.Stopping;

/** One check of a running cluster, database by database. */
final class IntegrityRun {
  private static final String DATABASES =
      """
      SELECT datname, datallowconn FROM pg_database
      WHERE datname <> 'template0' ORDER BY datname
      """;

  private final PostgresIntegrity asked;
  private final PostgresConnection connection;
  private final Stopping stopping;
  private final IntegrityTally tally = new IntegrityTally();

  IntegrityRun(PostgresIntegrity asked, PostgresConnection connection, Stopping stopping) {
    this.asked = asked;
    this.connection = connection;
    this.stopping = stopping;
  }

  IntegrityReport run() throws IOException {
    List<String> databases = databases();
    for (String database : databases) {
      inDatabase(database, sql -> check(sql, database));
    }
    for (Invariant invariant : asked.invariants()) {
      if (!databases.contains(invariant.database())) {
        tally.invariants++;
        tally.found(
            PostgresFailure.INVARIANT_BROKEN,
            invariant.name(),
            "there is no database " + invariant.database());
      }
    }
    return tally.report();
  }

  private List<String> databases() throws IOException {
    List<String> names = new ArrayList<>();
    inDatabase(
        connection.database(),
        sql -> {
          try (Statement statement = sql.createStatement();
              ResultSet rows = statement.executeQuery(DATABASES)) {
            while (rows.next()) {
              if (rows.getBoolean("datallowconn")) {
                names.add(rows.getString("datname"));
              } else {
                tally.notChecked(rows.getString("datname"), "it allows no connections");
              }
            }
          }
        });
    return names;
  }

  private void check(Connection sql, String database) throws SQLException, IOException {
    tally.databases++;
    StructureCheck structure = new StructureCheck(sql, database, tally, stopping);
    structure.run(asked.bringsAmcheck());
    new ForeignKeyCheck(sql, database, tally, stopping).run();
    for (Invariant invariant : asked.invariants()) {
      if (invariant.database().equals(database)) {
        stopping.check();
        new InvariantCheck(sql, tally).run(invariant, asked.toAnswer());
      }
    }
  }

  /** One session, in one transaction that is rolled back. */
  @SuppressWarnings("try") // the registration is only there to be closed
  private void inDatabase(String database, Work work) throws IOException {
    PostgresConnection to = connection.in(database);
    try (Connection sql = Logins.forQueries(to);
        Closeable registration = stopping.onStop(() -> abort(sql))) {
      sql.setNetworkTimeout(Runnable::run, 0);
      sql.setAutoCommit(false);
      try (Statement statement = sql.createStatement()) {
        statement.execute("SET row_security = off; SET search_path = pg_catalog");
        statement.execute("SET statement_timeout = 0; SET lock_timeout = 0");
        statement.execute("SET idle_in_transaction_session_timeout = 0");
      }
      work.run(sql);
      sql.rollback();
    } catch (SQLException e) {
      stopping.check();
      throw Logins.explain(to, e);
    }
  }

  private static void abort(Connection sql) {
    try {
      sql.abort(Runnable::run);
    } catch (SQLException alreadyGone) {
      // What matters is that nobody waits for it any more.
    }
  }

  /** What is done in a session. */
  @FunctionalInterface
  private interface Work {
    void run(Connection sql) throws SQLException, IOException;
  }

  /** Whether an error says that something is not for this role or not made for this. */
  static boolean isUnanswerable(SQLException e) {
    String state = String.valueOf(e.getSQLState());
    return state.equals("42501") || state.equals("0A000") || state.equals("42883");
  }

  /** Whether there is nobody any more to ask. */
  static boolean isOver(SQLException e) {
    String state = String.valueOf(e.getSQLState());
    return state.startsWith("08") || state.startsWith("57P");
  }

  /** What the server said, in one line. */
  static String said(SQLException e) {
    return e.getSQLState() + " " + String.valueOf(e.getMessage()).replaceAll("\\s*\n\\s*", "; ");
  }
}
