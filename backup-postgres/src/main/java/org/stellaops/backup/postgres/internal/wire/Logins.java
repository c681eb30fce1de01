package org.stellaops.backup.postgres.internal.wire;

import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresConnection;
import org.stellaops.backup.postgres.PostgresFailure;

/** Sessions for SQL, and what an SQLSTATE means for a backup. */
public final class Logins {
  private Logins() {}

  /** Logs in for SQL; the caller closes the connection. */
  public static Connection forQueries(PostgresConnection to) throws BackupException.Source {
    try {
      return new DriverLogin(to).forQueries();
    } catch (SQLException e) {
      throw explain(to, e);
    }
  }

  /** What the driver says about a connection or a query, in our words. */
  public static BackupException.Source explain(PostgresConnection to, SQLException e) {
    String state = e.getSQLState() == null ? "" : e.getSQLState();
    ServerErrorMessage server =
        e instanceof PSQLException fromServer ? fromServer.getServerErrorMessage() : null;
    String said =
        server == null ? e.getMessage() : server.getSeverity() + ": " + server.getMessage();
    return new BackupException.Source(code(state), "%s: %s %s".formatted(to, state, said), e);
  }

  /** What a WAL sender says about a command. */
  static BackupException.Source explain(
      PostgresConnection to, String command, ServerMessage error) {
    if (BaseBackup.refusesCompression(command, error)) {
      return new BackupException.Source(PostgresFailure.COMPRESSION_REFUSED, to + ": " + error);
    }
    boolean isStreaming =
        command.startsWith("START_REPLICATION") || command.contains("_REPLICATION_SLOT ");
    return new BackupException.Source(
        isStreaming ? streamingCode(error.sqlState()) : code(error.sqlState()), to + ": " + error);
  }

  /** What codes mean where WAL is streamed and slots are used; elsewhere they have other causes. */
  private static PostgresFailure streamingCode(String sqlState) {
    return switch (sqlState) {
      case "55006" -> PostgresFailure.SLOT_TAKEN;
      case "58P01" -> PostgresFailure.WAL_GONE;
      case "42704", "55000" -> PostgresFailure.SLOT_LOST;
      default -> code(sqlState);
    };
  }

  /** Classes and codes of the documentation's appendix "PostgreSQL Error Codes". */
  private static PostgresFailure code(String sqlState) {
    if (sqlState.startsWith("08")) {
      return PostgresFailure.UNREACHABLE;
    }
    if (sqlState.startsWith("28")) {
      return PostgresFailure.LOGIN_REFUSED;
    }
    return switch (sqlState) {
      case "42501" -> PostgresFailure.NO_REPLICATION_RIGHT;
      case "53300" -> PostgresFailure.NO_WALSENDER;
      case "57P01", "57P02", "57P03" -> PostgresFailure.CONNECTION_LOST;
      case "XX001" -> PostgresFailure.PAGE_CHECKSUM;
      default -> PostgresFailure.REFUSED_BY_SERVER;
    };
  }
}
