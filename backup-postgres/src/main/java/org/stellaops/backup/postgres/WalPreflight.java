package org.stellaops.backup.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.postgres.internal.receive.ReceiveSettings;
import org.stellaops.backup.postgres.internal.wire.Logins;
import org.stellaops.backup.spi.Checks;

/** Whether a server would let WAL be received, and not be harmed by it. */
final class WalPreflight {
  private static final String FACTS =
      """
      SELECT current_setting('max_slot_wal_keep_size') AS kept,
             current_setting('max_replication_slots')::int AS slots,
             (SELECT count(*) FROM pg_replication_slots WHERE slot_name <> ?)::int AS others,
             (SELECT s.wal_status FROM pg_replication_slots s WHERE slot_name = ?) AS status,
             (SELECT s.active_pid FROM pg_replication_slots s WHERE slot_name = ?) AS pid,
             current_setting('synchronous_standby_names') AS standbys
      """;

  private final PostgresConnection connection;
  private final ReceiveSettings settings;
  private final Checks checks;

  WalPreflight(PostgresConnection connection, ReceiveSettings settings, Checks checks) {
    this.connection = connection;
    this.settings = settings;
    this.checks = checks;
  }

  void run() {
    String slot = settings.slot().value();
    try (Connection sql = Logins.forQueries(connection);
        PreparedStatement statement = sql.prepareStatement(FACTS)) {
      for (int i = 1; i <= 3; i++) {
        statement.setString(i, slot);
      }
      try (ResultSet facts = statement.executeQuery()) {
        facts.next();
        checkBound(facts.getString("kept"));
        checkSlots(facts.getInt("slots"), facts.getInt("others"));
        checkSlot(String.valueOf(facts.getString("status")), facts.getInt("pid"));
        checkStandby(String.valueOf(facts.getString("standbys")));
      }
    } catch (BackupException.Source e) {
      warn("check.postgres.slot", e.detail(), e.code().remedy());
    } catch (SQLException e) {
      BackupException.Source explained = Logins.explain(connection, e);
      warn("check.postgres.slot", explained.detail(), explained.code().remedy());
    }
  }

  private void warn(String id, String found, String remedy) {
    checks.add(CheckResult.warn(id, "settings cannot be read: " + found, remedy));
  }

  private void checkBound(String kept) {
    String id = "check.postgres.max-slot-wal-keep-size";
    String evidence = "max_slot_wal_keep_size = " + kept;
    if (!kept.equals("-1")) {
      checks.add(CheckResult.pass(id, evidence));
    } else if (settings.isUnboundedAllowed()) {
      checks.add(
          CheckResult.warn(
              id,
              evidence + ", which the plan allows: a receiver that is gone fills the disk",
              PostgresFailure.SLOT_UNBOUNDED.remedy()));
    } else {
      checks.add(CheckResult.fail(id, evidence, PostgresFailure.SLOT_UNBOUNDED.remedy()));
    }
  }

  private void checkSlots(int slots, int others) {
    String id = "check.postgres.max-replication-slots";
    String evidence =
        "max_replication_slots = %d, of which others have %d".formatted(slots, others);
    checks.add(
        others < slots
            ? CheckResult.pass(id, evidence)
            : CheckResult.fail(
                id,
                evidence,
                "ALTER SYSTEM SET max_replication_slots = %d; then restart the server"
                    .formatted(Math.max(10, slots + 2))));
  }

  private void checkSlot(String status, int pid) {
    String id = "check.postgres.slot";
    String slot = settings.slot().value();
    if (status.equals("lost")) {
      checks.add(
          CheckResult.warn(
              id, slot + " was given up by the server", PostgresFailure.SLOT_LOST.remedy()));
    } else if (pid != 0) {
      checks.add(
          CheckResult.pass(id, "%s is in use by process %d of the server".formatted(slot, pid)));
    } else {
      checks.add(
          CheckResult.pass(id, slot + (status.equals("null") ? " will be made" : " is free")));
    }
  }

  private void checkStandby(String standbys) {
    settings
        .standbyName()
        .ifPresent(
            name -> {
              String id = "check.postgres.synchronous-standby-names";
              String evidence = "synchronous_standby_names = '%s'".formatted(standbys);
              checks.add(
                  standbys.contains(name) || standbys.contains("*")
                      ? CheckResult.pass(id, evidence)
                      : CheckResult.warn(
                          id,
                          evidence + ": no commit waits for " + name,
                          "ALTER SYSTEM SET synchronous_standby_names = '%s'; SELECT pg_reload_conf();"
                              .formatted(name)));
            });
  }
}
