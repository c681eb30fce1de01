package org.stellaops.backup.postgres;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.model.TargetState.Occupancy;
import org.stellaops.backup.postgres.internal.local.ProgramVersion;
import org.stellaops.backup.postgres.internal.local.Programs;
import org.stellaops.backup.postgres.internal.wire.Logins;
import org.stellaops.backup.spi.RestorePlanning;

/** Says what a restore of a logical backup would do, and what stands in its way. */
final class LogicalPlan {
  private final PostgresConnection connection;
  private final PostgresPrograms programs;
  private final List<String> names;
  private final RestorePlanning planning;

  LogicalPlan(
      PostgresConnection connection,
      PostgresPrograms programs,
      List<String> names,
      RestorePlanning planning) {
    this.connection = connection;
    this.programs = programs;
    this.names = names;
    this.planning = planning;
  }

  void run() throws IOException {
    planning.undo(RestorePlanning.Undo.SWAP_BACK);
    planProgram();
    CapturedSource captured = planning.requested();
    List<LogicalDatabase> wanted = LogicalRestore.chosen(captured, names);
    for (String name : names) {
      if (wanted.stream().noneMatch(database -> database.name().equals(name))) {
        blocker(PostgresFailure.DATABASE_MISSING, name, "it is not in the backup");
      }
    }
    for (LogicalDatabase database : wanted) {
      captured
          .artifact(database.artifact())
          .ifPresent(a -> planning.step("restore the database " + database.name(), a.plainBytes()));
    }
    planServer(captured, wanted);
  }

  private void planProgram() throws IOException {
    String dumped = planning.requested().versions().getOrDefault("pg_dump", "0");
    try {
      ProgramVersion found = new Programs(programs).version("pg_restore");
      if (found.major() < Integer.parseInt(dumped.split("[^0-9]", 2)[0])) {
        blocker(
            PostgresFailure.PROGRAM_VERSION,
            programs.directory().toString(),
            "expected pg_restore %s or newer, found %s".formatted(dumped, found));
      }
    } catch (BackupException.Refused e) {
      blocker(e.code(), programs.directory().toString(), e.detail());
    }
  }

  private void planServer(CapturedSource captured, List<LogicalDatabase> wanted)
      throws IOException {
    Set<String> occupied = new TreeSet<>();
    try (Connection sql = Logins.forQueries(connection)) {
      planRoles(sql, captured);
      List<String> there = LogicalDatabase.list(sql).stream().map(LogicalDatabase::name).toList();
      for (LogicalDatabase database : wanted) {
        if (there.contains(database.name()) && !LogicalRestore.isEmpty(connection, database)) {
          occupied.add(database.name());
          blocker(
              PostgresFailure.DATABASE_EXISTS,
              database.name(),
              "expected no such database or an empty one, found tables or other objects in it");
        }
      }
      planState(sql, occupied);
    } catch (SQLException e) {
      throw Logins.explain(connection, e);
    }
  }

  private void planRoles(Connection sql, CapturedSource captured) throws SQLException {
    Set<String> missing = new TreeSet<>();
    captured
        .properties()
        .forEach(
            (key, value) -> {
              if (key.startsWith(LogicalCapture.ROLE_PROPERTY)) {
                missing.add(value);
              }
            });
    column(sql, "SELECT rolname FROM pg_roles").forEach(missing::remove);
    if (!missing.isEmpty()) {
      blocker(PostgresFailure.ROLE_MISSING, connection.toString(), "no such roles: " + missing);
    }
  }

  private void planState(Connection sql, Set<String> occupied) throws SQLException {
    String system = column(sql, "SELECT system_identifier::text FROM pg_control_system()").get(0);
    planning.state(
        new TargetState(
            occupied.isEmpty() ? Occupancy.EMPTY : Occupancy.OCCUPIED,
            Digest.ofContent((system + " " + occupied).getBytes(StandardCharsets.UTF_8)),
            connection + ": system " + system + ", in use: " + occupied));
  }

  private static List<String> column(Connection sql, String query) throws SQLException {
    List<String> values = new ArrayList<>();
    try (Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      while (rows.next()) {
        values.add(rows.getString(1));
      }
    }
    return values;
  }

  private void blocker(FailureCode code, String subject, String found) {
    planning.blocker(new Finding(code, subject, found));
  }
}
