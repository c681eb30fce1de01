package org.stellaops.backup.postgres;

import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.postgres.internal.wire.Logins;
import org.stellaops.backup.postgres.internal.wire.SystemIdentity;
import org.stellaops.backup.postgres.internal.wire.Wire;
import org.stellaops.backup.spi.Checks;

/**
 * Whether a physical backup would work, asked over SQL and then by a replication session. Each
 * failure names the parameter and the SQL that mends it.
 */
final class Preflight {
  private static final int NEWEST_TESTED_MAJOR = 18;

  private static final String FACTS =
      """
      SELECT current_setting('server_version_num')::int AS version,
             current_setting('wal_level') AS wal_level,
             current_setting('max_wal_senders')::int AS senders,
             (SELECT count(*) FROM pg_stat_replication)::int AS busy,
             current_setting('summarize_wal', true) AS summarize,
             (SELECT 'zstd' = ANY (enumvals) FROM pg_settings WHERE name = 'wal_compression') AS zstd,
             pg_is_in_recovery() AS recovers,
             (SELECT full_page_writes FROM pg_control_checkpoint()) AS whole_pages,
             (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may,
             (SELECT sum(pg_database_size(oid)) FROM pg_database
               WHERE pg_has_role('pg_read_all_stats', 'USAGE')
                  OR has_database_privilege(oid, 'CONNECT'))::bigint AS bytes
      """;

  private final PostgresConnection connection;
  private final ServerCompression compression;
  private final Checks checks;

  Preflight(PostgresConnection connection, ServerCompression compression, Checks checks) {
    this.connection = connection;
    this.compression = compression;
    this.checks = checks;
  }

  void run() throws IOException {
    checkBySql();
    checks.stopping().check();
    checkReplication();
  }

  /** A role that may only replicate is fine: then the second check says all there is to say. */
  private void checkBySql() {
    String id = PostgresConnectivity.ID;
    try (Connection sql = Logins.forQueries(connection);
        Statement statement = sql.createStatement()) {
      checks.add(PostgresConnectivity.beforeBackup(connection, statement));
      try (ResultSet facts = statement.executeQuery(FACTS)) {
        if (!facts.next()) {
          throw new SQLException("no row from a query without a table");
        }
        checkFacts(facts);
      }
    } catch (BackupException.Source e) {
      String remedy = e.code().remedy();
      checks.add(
          e.code() == PostgresFailure.UNREACHABLE
              ? CheckResult.fail(id, String.valueOf(e.getMessage()), remedy)
              : CheckResult.warn(id, "settings cannot be read: " + e.getMessage(), remedy));
    } catch (SQLException e) {
      String text = Logins.explain(connection, e).getMessage();
      checks.add(CheckResult.warn(id, "settings cannot be read: " + text, "grant what is missing"));
    }
  }

  private void checkFacts(ResultSet facts) throws SQLException {
    checkVersion(facts.getInt("version"));
    checkWalLevel(facts.getString("wal_level"));
    checkIncremental(facts.getInt("version") / 10_000, "on".equals(facts.getString("summarize")));
    checks.expect(facts.getLong("bytes"));
    checkSenders(facts.getInt("senders"), facts.getInt("busy"));
    boolean isStandby = facts.getBoolean("recovers");
    checkRight(facts.getBoolean("may"), isStandby);
    checkCompression(facts.getBoolean("zstd"));
    if (isStandby) {
      checkStandby(facts.getBoolean("whole_pages"));
    }
  }

  /** A standby cannot ask for whole pages, so it has to find them in what its primary wrote. */
  private void checkStandby(boolean hasWholePages) {
    String id = "check.postgres.standby";
    checks.add(
        hasWholePages
            ? CheckResult.pass(id, "a standby, whose primary writes whole pages")
            : CheckResult.fail(
                id,
                "a standby, whose primary had full_page_writes = off at its last checkpoint",
                PostgresFailure.FULL_PAGE_WRITES_OFF.remedy()));
  }

  private void checkVersion(int number) {
    String id = "check.postgres.version";
    int major = number / 10_000;
    if (major < PhysicalCapture.OLDEST_MAJOR) {
      checks.add(
          CheckResult.fail(
              id, "PostgreSQL " + major, PostgresFailure.UNSUPPORTED_VERSION.remedy()));
    } else if (major > NEWEST_TESTED_MAJOR) {
      checks.add(
          CheckResult.warn(
              id,
              "PostgreSQL %d; up to %d was tested".formatted(major, NEWEST_TESTED_MAJOR),
              "look for a newer version of this library"));
    } else {
      checks.add(CheckResult.pass(id, "PostgreSQL " + major));
    }
  }

  private void checkWalLevel(String level) {
    String id = "check.postgres.wal-level";
    checks.add(
        level.equals("minimal")
            ? CheckResult.fail(
                id,
                "wal_level = minimal",
                "ALTER SYSTEM SET wal_level = 'replica'; then restart the server")
            : CheckResult.pass(id, "wal_level = " + level));
  }

  private void checkIncremental(int major, boolean isSummarizing) {
    String id = "check.postgres.incremental";
    if (major < Increment.OLDEST_MAJOR) {
      checks.add(
          CheckResult.pass(
              id,
              "PostgreSQL %d is captured in full each time: space, not reading, is saved"
                  .formatted(major)));
    } else if (isSummarizing) {
      checks.add(CheckResult.pass(id, "summarize_wal = on"));
    } else {
      checks.add(
          CheckResult.warn(
              id,
              "summarize_wal = off: each capture is a full one; space, not reading, is saved",
              Increment.SUMMARIZE_SQL));
    }
  }

  private void checkSenders(int senders, int busy) {
    String id = "check.postgres.max-wal-senders";
    String evidence = "max_wal_senders = %d, of which %d are busy".formatted(senders, busy);
    checks.add(
        busy < senders
            ? CheckResult.pass(id, evidence)
            : CheckResult.fail(
                id,
                evidence,
                "ALTER SYSTEM SET max_wal_senders = %d; then restart the server"
                    .formatted(Math.max(10, senders + 2))));
  }

  private void checkRight(boolean may, boolean isStandby) {
    String id = "check.postgres.replication-right";
    String role = "\"" + connection.user().replace("\"", "\"\"") + "\"";
    checks.add(
        may
            ? CheckResult.pass(id, "role " + role + " may replicate")
            : CheckResult.fail(
                id,
                "role " + role + " has neither REPLICATION nor SUPERUSER",
                (isStandby ? "on the primary: " : "") + "ALTER ROLE " + role + " REPLICATION;"));
  }

  /** A server that knows zstd knows it for WAL, too, and says so to anybody. */
  private void checkCompression(boolean isKnown) {
    if (compression == ServerCompression.OFF) {
      return;
    }
    String id = "check.postgres.server-compression";
    checks.add(
        isKnown
            ? CheckResult.pass(id, "the server was built with zstd")
            : CheckResult.fail(
                id,
                "the server was built without zstd, and is asked to compress with it",
                PostgresFailure.COMPRESSION_REFUSED.remedy()));
  }

  private void checkReplication() throws BackupException.Stopped {
    String id = "check.postgres.replication-session";
    try (Wire wire = Wire.open(connection, checks.stopping(), notice -> {})) {
      SystemIdentity system = wire.identifySystem();
      checks.add(
          CheckResult.pass(
              id,
              "system %s, timeline %d, WAL at %s"
                  .formatted(system.systemIdentifier(), system.timeline(), system.flushed())));
    } catch (BackupException.Stopped e) {
      throw e;
    } catch (IOException e) {
      checks.add(CheckResult.fail(id, String.valueOf(e.getMessage()), remedy(e)));
    }
  }

  private String remedy(IOException e) {
    String line = "host replication %s <address of this host>/32 scram-sha-256";
    if (!(e instanceof BackupException known)) {
      return PostgresFailure.UNREACHABLE.remedy();
    }
    return known.code() == PostgresFailure.LOGIN_REFUSED
        ? "check the password, and that pg_hba.conf has a line such as '%s'; then SELECT pg_reload_conf();"
            .formatted(line.formatted(connection.user()))
        : known.code().remedy();
  }
}
