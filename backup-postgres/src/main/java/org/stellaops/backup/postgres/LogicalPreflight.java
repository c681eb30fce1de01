package org.stellaops.backup.postgres;

import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.postgres.internal.wire.Logins;
import org.stellaops.backup.spi.Checks;

/** Whether a logical backup would work: programs, connection, and rows that a role cannot see. */
final class LogicalPreflight {
  private static final int MAX_NAMED = 20;

  /** What the documentation says of row_security_active: whether it holds for this role. */
  private static final String HIDDEN =
      """
      SELECT oid::regclass::text FROM pg_class
      WHERE relrowsecurity AND row_security_active(oid) ORDER BY 1
      """;

  private final LogicalSource source;
  private final Checks checks;

  LogicalPreflight(LogicalSource source, Checks checks) {
    this.source = source;
    this.checks = checks;
  }

  void run() throws IOException {
    String connectivity = PostgresConnectivity.ID;
    try (Connection sql = Logins.forQueries(source.connection());
        Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery("SHOW server_version")) {
      rows.next();
      String server = rows.getString(1);
      checks.add(
          CheckResult.pass(connectivity, source.connection() + " runs PostgreSQL " + server));
      checkProgram("pg_dump", server);
      checkProgram("pg_dumpall", server);
      checkRoles(statement);
      for (LogicalDatabase database : LogicalCapture.chosen(source, LogicalDatabase.list(sql))) {
        checks.stopping().check();
        checkRows(database);
      }
    } catch (BackupException.Stopped e) {
      throw e;
    } catch (BackupException e) {
      checks.add(CheckResult.fail(connectivity, String.valueOf(e.getMessage()), e.code().remedy()));
    } catch (SQLException e) {
      BackupException said = Logins.explain(source.connection(), e);
      checks.add(
          CheckResult.fail(connectivity, String.valueOf(said.getMessage()), said.code().remedy()));
    }
  }

  private void checkProgram(String program, String server) throws IOException {
    String id = "check.postgres." + program;
    try {
      checks.add(
          CheckResult.pass(id, LogicalCapture.requireProgram(source, program, server).toString()));
    } catch (BackupException.Refused e) {
      checks.add(CheckResult.fail(id, e.detail(), e.code().remedy()));
    }
  }

  private void checkRoles(Statement statement) throws SQLException {
    String id = "check.postgres.role-passwords";
    try (ResultSet rows =
        statement.executeQuery("SELECT has_table_privilege('pg_authid', 'SELECT')")) {
      rows.next();
      boolean may = rows.getBoolean(1) || !source.hasPasswords();
      checks.add(
          may
              ? CheckResult.pass(id, "roles can be read")
              : CheckResult.fail(
                  id,
                  "role " + source.connection().user() + " may not read the passwords of roles",
                  "use a superuser, or LogicalSource.withoutRolePasswords"));
    }
  }

  private void checkRows(LogicalDatabase database) throws IOException {
    String id = "check.postgres.row-security";
    PostgresConnection to = source.connection().in(database.name());
    List<String> hidden = new ArrayList<>();
    try (Connection sql = Logins.forQueries(to);
        Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery(HIDDEN)) {
      while (rows.next() && hidden.size() < MAX_NAMED) {
        hidden.add(rows.getString(1));
      }
    } catch (SQLException e) {
      throw Logins.explain(to, e);
    }
    checks.add(
        hidden.isEmpty()
            ? CheckResult.pass(id, database.name() + ": every row can be seen")
            : CheckResult.fail(
                id,
                database.name() + ": policies would hide rows of " + hidden,
                "ALTER ROLE "
                    + LogicalDatabase.identifier(source.connection().user())
                    + " BYPASSRLS;"));
  }
}
