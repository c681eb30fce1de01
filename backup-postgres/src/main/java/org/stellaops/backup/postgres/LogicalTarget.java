package org.stellaops.backup.postgres;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;

/**
 * A running server that gets the databases of a logical backup. A value.
 *
 * <p>Each database is restored under another name first, and renamed when all of them are there and
 * verified: until then nobody sees it. One that is there already under the name must be empty; it
 * is kept under another name until the restore is settled. Roles must be there: {@code globals.sql}
 * is not applied. Tablespaces, grants on the database itself and its own settings are not restored.
 */
public final class LogicalTarget implements RestoreTarget {
  private final PostgresConnection connection;
  private final PostgresPrograms programs;
  private final List<String> names;

  private LogicalTarget(
      PostgresConnection connection, PostgresPrograms programs, List<String> names) {
    this.connection = connection;
    this.programs = programs;
    this.names = List.copyOf(names);
  }

  static LogicalTarget of(PostgresConnection connection, PostgresPrograms programs) {
    return new LogicalTarget(connection, programs, List.of());
  }

  /** Only these databases of the backup. */
  public LogicalTarget only(String... databases) {
    return new LogicalTarget(connection, programs, List.of(databases));
  }

  @Override
  public TargetDescription describe() {
    return new TargetDescription(
        connection.toString(),
        names.isEmpty() ? Map.of() : Map.of("databases", String.join(",", names)));
  }

  @Override
  public boolean accepts(SourceKind kind) {
    return kind.value().equals(LogicalSource.KIND);
  }

  @Override
  public void plan(RestorePlanning planning) throws IOException {
    new LogicalPlan(connection, programs, names, planning).run();
  }

  @Override
  public void stage(RestoreSession session) throws IOException {
    restore(session).stage();
  }

  @Override
  public void publish(RestoreSession session) throws IOException {
    restore(session).publish();
  }

  @Override
  public void rollBack(RestoreSession session) throws IOException {
    restore(session).rollBack();
  }

  @Override
  public void settle(RestoreSession session) throws IOException {
    restore(session).settle();
  }

  @Override
  public String toString() {
    return "LogicalTarget[" + connection + "]";
  }

  private LogicalRestore restore(RestoreSession session) {
    return new LogicalRestore(connection, programs, names, session);
  }
}
