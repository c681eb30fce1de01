package org.stellaops.backup.postgres;

import java.io.IOException;
import java.util.List;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.SourceDescription;

/**
 * Databases of a PostgreSQL cluster as {@code pg_dump} and {@code pg_dumpall} write them. A value.
 *
 * <p>What is stored is what stock tools read: {@code <database>.dump} in pg_dump's custom format,
 * uncompressed, and {@code globals.sql} with roles and tablespaces. With the roles go the hashes of
 * their passwords, sealed like everything else.
 *
 * <p>Row-level security never filters in silence: a table whose rows this role may not all see
 * fails the capture.
 */
public final class LogicalSource implements BackupSource {
  /** Format of what this captures. */
  static final String KIND = "postgres-logical/1";

  private final PostgresConnection connection;
  private final PostgresPrograms programs;
  private final List<String> names;
  private final boolean hasPasswords;

  private LogicalSource(
      PostgresConnection connection,
      PostgresPrograms programs,
      List<String> names,
      boolean hasPasswords) {
    this.connection = connection;
    this.programs = programs;
    this.names = List.copyOf(names);
    this.hasPasswords = hasPasswords;
  }

  static LogicalSource of(PostgresConnection connection, PostgresPrograms programs) {
    return new LogicalSource(connection, programs, List.of(), true);
  }

  /** Only these databases; each must be there. */
  public LogicalSource databases(String... only) {
    return new LogicalSource(connection, programs, List.of(only), hasPasswords);
  }

  /** Roles without their passwords, which only a superuser may read. */
  public LogicalSource withoutRolePasswords() {
    return new LogicalSource(connection, programs, names, false);
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of(KIND, Component.DATABASE, Stage.DATABASE);
  }

  @Override
  public void check(Checks checks) throws IOException {
    new LogicalPreflight(this, checks).run();
  }

  @Override
  public void capture(CaptureSession session) throws IOException {
    new LogicalCapture(this, session).run();
  }

  @Override
  public String toString() {
    return "LogicalSource[" + connection + "]";
  }

  PostgresConnection connection() {
    return connection;
  }

  PostgresPrograms programs() {
    return programs;
  }

  List<String> names() {
    return names;
  }

  boolean hasPasswords() {
    return hasPasswords;
  }
}
