package org.stellaops.backup.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.postgres.internal.local.ClientProgram;
import org.stellaops.backup.postgres.internal.local.ProgramEnd;
import org.stellaops.backup.postgres.internal.local.ProgramVersion;
import org.stellaops.backup.postgres.internal.local.Programs;
import org.stellaops.backup.postgres.internal.wire.Logins;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Form;

/** One logical backup on its way from pg_dump into a session, with no file in between. */
final class LogicalCapture {
  static final ArtifactName GLOBALS = ArtifactName.of("globals.sql");

  /** Property of the capture: a role of the cluster, {@code role.16400=app}. */
  static final String ROLE_PROPERTY = "role.";

  private static final String ROLES =
      "SELECT oid, rolname FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY oid";

  private static final int BUFFER_BYTES = 256 << 10;

  private final LogicalSource source;
  private final CaptureSession session;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private long sentBytes;
  private long doneDatabases;

  LogicalCapture(LogicalSource source, CaptureSession session) {
    this.source = source;
    this.session = session;
  }

  void run() throws IOException {
    List<LogicalDatabase> databases = ask();
    List<String> globals = new ArrayList<>(List.of("--globals-only", "--no-password"));
    if (!source.hasPasswords()) {
      globals.add("--no-role-passwords");
    }
    session.artifact(
        GLOBALS,
        Form.WHOLE,
        out -> copy(source.connection(), out, "pg_dumpall", globals.toArray(String[]::new)));
    for (LogicalDatabase database : databases) {
      capture(database);
    }
    session.captured(InventoryItem.of("databases", doneDatabases, sentBytes));
    session.progress(sentBytes, doneDatabases, sentBytes);
  }

  private void capture(LogicalDatabase database) throws IOException {
    PostgresConnection to = source.connection().in(database.name());
    session.artifact(
        database.artifact(),
        Form.CONTENT,
        out -> copy(to, out, "pg_dump", "--format=custom", "--compress=0", "--no-password"));
    database.properties().forEach(session::property);
    doneDatabases++;
  }

  private List<LogicalDatabase> ask() throws IOException {
    try (Connection sql = Logins.forQueries(source.connection());
        Statement statement = sql.createStatement()) {
      describe(statement);
      return chosen(source, LogicalDatabase.list(sql));
    } catch (SQLException e) {
      throw Logins.explain(source.connection(), e);
    }
  }

  private void describe(Statement statement) throws SQLException, IOException {
    try (ResultSet rows = statement.executeQuery("SHOW server_version")) {
      rows.next();
      String server = rows.getString(1);
      session.version("postgres", server);
      session.version("pg_dump", requireProgram(source, "pg_dump", server).text());
      requireProgram(source, "pg_dumpall", server);
    }
    try (ResultSet rows = statement.executeQuery(ROLES)) {
      while (rows.next()) {
        session.property(ROLE_PROPERTY + rows.getLong("oid"), rows.getString("rolname"));
      }
    }
  }

  /** A program that can read what this server has: not older than it. */
  static ProgramVersion requireProgram(LogicalSource source, String program, String server)
      throws IOException {
    ProgramVersion found = new Programs(source.programs()).version(program);
    if (found.major() < Integer.parseInt(server.split("[^0-9]", 2)[0])) {
      throw new BackupException.Refused(
          PostgresFailure.PROGRAM_VERSION,
          "capture %s: expected a %s of PostgreSQL %s or newer, found %s"
              .formatted(source.connection(), program, server, found));
    }
    return found;
  }

  /** What the source wants of what there is. */
  static List<LogicalDatabase> chosen(LogicalSource source, List<LogicalDatabase> all)
      throws BackupException.Source {
    List<String> there = all.stream().map(LogicalDatabase::name).toList();
    for (String name : source.names()) {
      if (!there.contains(name)) {
        throw new BackupException.Source(
            PostgresFailure.DATABASE_MISSING,
            "%s: expected the database %s, found %s".formatted(source.connection(), name, there));
      }
    }
    return all.stream()
        .filter(d -> source.names().isEmpty() || source.names().contains(d.name()))
        .toList();
  }

  /** An archive is complete when its program says so: one that ends early looks much the same. */
  private void copy(PostgresConnection to, ArtifactOutput out, String program, String... arguments)
      throws IOException {
    try (ClientProgram running =
        ClientProgram.start(source.programs(), to, session.stopping(), program, arguments)) {
      running.input().close();
      copy(running.output(), out);
      ProgramEnd end = running.await();
      session.stopping().check();
      if (!end.isGood()) {
        throw new BackupException.Source(
            end.failure(), "run %s on %s: it ended with %s".formatted(program, to, end));
      }
    }
  }

  private void copy(InputStream in, ArtifactOutput out) throws IOException {
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      session.stopping().check();
      out.write(buffer, 0, n);
      sentBytes += n;
      session.progress(sentBytes, doneDatabases, 0);
    }
  }
}
