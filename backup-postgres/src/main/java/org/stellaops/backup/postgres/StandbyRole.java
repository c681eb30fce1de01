package org.stellaops.backup.postgres;

import java.io.IOException;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.internal.wire.ServerMessage;
import org.stellaops.backup.postgres.internal.wire.Wire;

/**
 * A server that was a standby when its backup began: why its backup can fail where that of a
 * primary cannot (documentation, "Backup Control Functions"; do_pg_backup_start and
 * do_pg_backup_stop in src/backend/access/transam/xlog.c).
 */
final class StandbyRole {
  /** Said of a standby for two reasons only, in the server's language. */
  private static final String NOT_IN_PREREQUISITE_STATE = "55000";

  private StandbyRole() {}

  /** Whether the server is a standby now, or recovers otherwise. */
  static boolean is(Wire wire) throws IOException {
    return wire.show("in_hot_standby").equals("on");
  }

  /** The server's refusal, with the one of the reasons that it was. */
  static BackupException.Source explain(Wire wire, BackupException.Source e) throws IOException {
    if (!isOfStandby(wire, e)) {
      return e;
    }
    try {
      PostgresFailure reason =
          is(wire) ? PostgresFailure.FULL_PAGE_WRITES_OFF : PostgresFailure.STANDBY_PROMOTED;
      return new BackupException.Source(reason, e.detail(), e);
    } catch (BackupException.Source lost) {
      e.addSuppressed(lost);
      return e;
    }
  }

  private static boolean isOfStandby(Wire wire, BackupException.Source e) {
    return e.code() == PostgresFailure.REFUSED_BY_SERVER
        && wire.lastError()
            .map(ServerMessage::sqlState)
            .filter(NOT_IN_PREREQUISITE_STATE::equals)
            .isPresent();
  }
}
