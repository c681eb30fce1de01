package org.stellaops.backup.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.postgres.internal.local.ClientProgram;
import org.stellaops.backup.postgres.internal.local.ProgramEnd;
import org.stellaops.backup.postgres.internal.wire.Logins;
import org.stellaops.backup.spi.RestoreSession;

/**
 * One restore of a logical backup. A database of this run is known by its comment, under whatever
 * name it goes: {@code stella-backup <run> <name>} where it is restored, {@code old <run> <name>}
 * where it stood in the way.
 */
final class LogicalRestore {
  /** Not a template, and none that somebody restores: where databases can be renamed from. */
  private static final String MAINTENANCE = "template1";

  private static final String MARKED =
      """
      SELECT datname, shobj_description(oid, 'pg_database') AS mark FROM pg_database
      WHERE starts_with(shobj_description(oid, 'pg_database'), ?)
      """;

  private static final String IS_EMPTY =
      """
      SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace NOT IN
                 (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_' OR nspname = 'information_schema'))
         AND NOT EXISTS (SELECT FROM pg_namespace
                 WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public'))
         AND NOT EXISTS (SELECT FROM pg_largeobject_metadata)
         AND NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
      """;

  private static final int BUFFER_BYTES = 256 << 10;

  private final PostgresConnection connection;
  private final PostgresPrograms programs;
  private final List<String> names;
  private final RestoreSession session;
  private final CapturedSource captured;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private long readBytes;

  LogicalRestore(
      PostgresConnection connection,
      PostgresPrograms programs,
      List<String> names,
      RestoreSession session) {
    this.connection = connection.in(MAINTENANCE);
    this.programs = programs;
    this.names = names;
    this.session = session;
    this.captured = session.chain().get(0);
  }

  /** What is wanted of what was captured. */
  static List<LogicalDatabase> chosen(CapturedSource captured, List<String> names) {
    return LogicalDatabase.read(captured.properties()).stream()
        .filter(d -> names.isEmpty() || names.contains(d.name()))
        .toList();
  }

  /** Whether a database that is there can give way. */
  static boolean isEmpty(PostgresConnection connection, LogicalDatabase database)
      throws IOException {
    PostgresConnection to = connection.in(database.name());
    try (Connection sql = Logins.forQueries(to);
        Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery(IS_EMPTY)) {
      return rows.next() && rows.getBoolean(1);
    } catch (SQLException e) {
      throw Logins.explain(to, e);
    }
  }

  /** Restores every database under a name of this run. */
  void stage() throws IOException {
    onServer(this::dropNew);
    List<LogicalDatabase> databases = chosen(captured, names);
    for (int i = 0; i < databases.size(); i++) {
      LogicalDatabase database = databases.get(i);
      String staged = "stella-new-" + session.run() + "-" + i;
      onServer(
          sql -> {
            execute(sql, database.creation(staged));
            mark(sql, staged, database.name());
          });
      fill(database, staged);
    }
  }

  /** Renames what stands in the way, then what was restored. */
  void publish() throws IOException {
    onServer(
        sql -> {
          List<String> there = names(sql);
          Map<String, String> restored = marked(sql);
          List<LogicalDatabase> databases = chosen(captured, names);
          for (int i = 0; i < databases.size(); i++) {
            String name = databases.get(i).name();
            String staged = restored.get(name);
            if (staged == null) {
              throw new BackupException.Target(
                  CoreFailure.TARGET_FAILED, "nothing is staged for the database " + name);
            }
            if (!staged.equals(name)) {
              if (there.contains(name)) {
                moveAside(sql, databases.get(i), aside(i));
              }
              rename(sql, staged, name);
            }
          }
        });
  }

  /** Drops what was restored, and gives back the names of what stood in the way. */
  void rollBack() throws IOException {
    onServer(
        sql -> {
          dropNew(sql);
          List<String> there = names(sql);
          List<LogicalDatabase> databases = chosen(captured, names);
          for (int i = 0; i < databases.size(); i++) {
            if (there.contains(aside(i))) {
              rename(sql, aside(i), databases.get(i).name());
            }
          }
        });
  }

  /** Drops the empty ones that stood in the way, and forgets. */
  void settle() throws IOException {
    onServer(
        sql -> {
          List<String> there = names(sql);
          for (int i = 0; i < chosen(captured, names).size(); i++) {
            if (there.contains(aside(i))) {
              drop(sql, aside(i));
            }
          }
          for (String restored : marked(sql).values()) {
            execute(
                sql, "COMMENT ON DATABASE " + LogicalDatabase.identifier(restored) + " IS NULL");
          }
        });
  }

  /** The archive goes from the session to pg_restore, and is then read to its end in any case. */
  private void fill(LogicalDatabase database, String staged) throws IOException {
    try (InputStream in = session.open(captured, database.artifact());
        ClientProgram running =
            ClientProgram.start(
                programs,
                connection,
                session.stopping(),
                "pg_restore",
                "--exit-on-error",
                "--no-password",
                "--no-tablespaces",
                "--dbname=" + staged)) {
      boolean isTaken = true;
      for (int n = read(in); n >= 0; n = read(in)) {
        isTaken = isTaken && wasWritten(running.input(), n);
      }
      closeQuietly(running.input());
      ProgramEnd end = running.await();
      session.stopping().check();
      if (!end.isGood()) {
        throw new BackupException.Target(
            end.failure(),
            "restore the database %s with pg_restore: it ended with %s"
                .formatted(database.name(), end));
      }
    }
  }

  /** A program that has ended takes nothing more; why, its status tells. */
  private boolean wasWritten(OutputStream out, int length) {
    try {
      out.write(buffer, 0, length);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static void closeQuietly(OutputStream out) {
    try {
      out.close();
    } catch (IOException e) {
      // It has ended before; why, its status tells.
    }
  }

  private int read(InputStream in) throws IOException {
    session.stopping().check();
    int n = in.read(buffer);
    if (n > 0) {
      readBytes += n;
      long all = captured.artifacts().stream().mapToLong(CapturedArtifact::plainBytes).sum();
      session.progress(readBytes, 0, all);
    }
    return n;
  }

  private void moveAside(Connection sql, LogicalDatabase database, String aside)
      throws SQLException, IOException {
    if (!isEmpty(connection, database)) {
      throw new BackupException.Target(
          PostgresFailure.DATABASE_EXISTS, database.name() + " is not empty any more");
    }
    rename(sql, database.name(), aside);
  }

  private void dropNew(Connection sql) throws SQLException {
    for (String restored : marked(sql).values()) {
      drop(sql, restored);
    }
  }

  /** Databases of this run: what they are to be called, and what they are called now. */
  private Map<String, String> marked(Connection sql) throws SQLException {
    String prefix = markOf("");
    Map<String, String> databases = new TreeMap<>();
    try (PreparedStatement query = sql.prepareStatement(MARKED)) {
      query.setString(1, prefix);
      try (ResultSet rows = query.executeQuery()) {
        while (rows.next()) {
          databases.put(
              rows.getString("mark").substring(prefix.length()), rows.getString("datname"));
        }
      }
    }
    return databases;
  }

  private void mark(Connection sql, String database, String name) throws SQLException {
    execute(
        sql,
        "COMMENT ON DATABASE %s IS %s"
            .formatted(
                LogicalDatabase.identifier(database), LogicalDatabase.literal(markOf(name))));
  }

  private String markOf(String name) {
    return "stella-backup %s %s".formatted(session.run(), name);
  }

  private String aside(int number) {
    return "stella-old-" + session.run() + "-" + number;
  }

  private static List<String> names(Connection sql) throws SQLException {
    return LogicalDatabase.list(sql).stream().map(LogicalDatabase::name).toList();
  }

  private static void rename(Connection sql, String from, String to) throws SQLException {
    execute(
        sql,
        "ALTER DATABASE %s RENAME TO %s"
            .formatted(LogicalDatabase.identifier(from), LogicalDatabase.identifier(to)));
  }

  private static void drop(Connection sql, String database) throws SQLException {
    execute(sql, "DROP DATABASE " + LogicalDatabase.identifier(database) + " WITH (FORCE)");
  }

  private static void execute(Connection sql, String command) throws SQLException {
    try (Statement statement = sql.createStatement()) {
      statement.execute(command);
    }
  }

  private void onServer(Work work) throws IOException {
    try (Connection sql = Logins.forQueries(connection)) {
      sql.setNetworkTimeout(Runnable::run, 0);
      work.run(sql);
    } catch (SQLException e) {
      BackupException said = Logins.explain(connection, e);
      throw new BackupException.Target(said.code(), said.detail(), e);
    }
  }

  /** What is done in a session. */
  @FunctionalInterface
  private interface Work {
    void run(Connection sql) throws SQLException, IOException;
  }
}
