package org.stellaops.backup.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CheckResult.Verdict;
import org.stellaops.backup.postgres.internal.wire.Logins;

/**
 * Whether a server answers, and how soon: for health endpoints. An answer that takes more than 100
 * ms is a warning, and more than 500 ms a failure. A preflight says the same, but a slow server is
 * no reason to go without a backup: there the failure is a warning.
 */
public final class PostgresConnectivity {
  static final String ID = "check.postgres.connectivity";

  private static final int SAMPLES = 3;
  private static final Duration SLOW = Duration.ofMillis(100);
  private static final Duration TOO_SLOW = Duration.ofMillis(500);

  private PostgresConnectivity() {}

  /**
   * Logs in and asks. The result holds host, port and user, and never the password. Blocks for as
   * long as the server takes, or the driver waits for it.
   */
  public static CheckResult check(PostgresConnection connection) {
    try (Connection sql = Logins.forQueries(connection);
        Statement statement = sql.createStatement()) {
      return judged(connection, latency(statement));
    } catch (BackupException.Source e) {
      return CheckResult.fail(ID, String.valueOf(e.getMessage()), e.code().remedy());
    } catch (SQLException e) {
      BackupException.Source explained = Logins.explain(connection, e);
      return CheckResult.fail(
          ID, String.valueOf(explained.getMessage()), explained.code().remedy());
    }
  }

  /** For a backup: what is slow is only worth a warning. */
  static CheckResult beforeBackup(PostgresConnection connection, Statement statement)
      throws SQLException {
    CheckResult result = judged(connection, latency(statement));
    return result.verdict() == Verdict.FAIL
        ? CheckResult.warn(ID, result.evidence(), result.remedy())
        : result;
  }

  /** The best of a few, since the first one on a connection is slow for reasons of its own. */
  private static Duration latency(Statement statement) throws SQLException {
    long best = Long.MAX_VALUE;
    for (int i = 0; i < SAMPLES; i++) {
      long begin = System.nanoTime();
      statement.execute("SELECT 1");
      best = Math.min(best, System.nanoTime() - begin);
    }
    return Duration.ofNanos(best);
  }

  private static CheckResult judged(PostgresConnection connection, Duration took) {
    String evidence = connection + " answers in " + took.toMillis() + " ms";
    String remedy = "look at the load of the server, and at the network between";
    if (took.compareTo(TOO_SLOW) > 0) {
      return CheckResult.fail(ID, evidence + ", which is very slow", remedy);
    }
    return took.compareTo(SLOW) > 0
        ? CheckResult.warn(ID, evidence, remedy)
        : CheckResult.pass(ID, evidence);
  }
}
