package org.stellaops.backup.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.internal.wire.Logins;

/**
 * Says which relations the files are of that a server warns of: {@code file "./base/5/16384", block
 * 3} (src/backend/backup/basebackup.c). Where it cannot be asked, the file's path has to do.
 */
final class DamagedRelations {
  private static final Pattern WARNED = Pattern.compile("\"(?:\\./)?([^\"]+)\"");
  private static final Pattern FILE =
      Pattern.compile(
          "(?:global|base/([0-9]+)|pg_tblspc/([0-9]+)/[^/]+/([0-9]+))/([0-9]+)(?:_[a-z]+)?(?:\\.[0-9]+)?");
  private static final long GLOBAL_TABLESPACE = 1664;
  private static final int MOST = 50;

  private final PostgresConnection connection;

  DamagedRelations(PostgresConnection connection) {
    this.connection = connection;
  }

  /**
   * What each relation's damage is, in the server's words.
   *
   * @param warnings as the server gave them
   * @return by {@code database.schema.relation}, or by the file's path
   */
  Map<String, List<String>> of(List<String> warnings) {
    Map<String, List<String>> byRelation = new LinkedHashMap<>();
    Map<String, String> known = new LinkedHashMap<>();
    for (String warning : warnings) {
      Matcher file = WARNED.matcher(warning);
      if (file.find() && FILE.matcher(file.group(1)).matches() && byRelation.size() < MOST) {
        String name = known.computeIfAbsent(file.group(1), this::name);
        byRelation.computeIfAbsent(name, n -> new ArrayList<>()).add(warning);
      }
    }
    return byRelation;
  }

  private String name(String path) {
    Matcher file = FILE.matcher(path);
    if (!file.matches()) {
      return path;
    }
    String database = file.group(1) != null ? file.group(1) : file.group(3);
    long tablespace =
        database == null
            ? GLOBAL_TABLESPACE
            : file.group(2) == null ? 0 : Long.parseLong(file.group(2));
    try {
      return named(Optional.ofNullable(database), tablespace, Long.parseLong(file.group(4)))
          .map(name -> name + " (" + path + ")")
          .orElse(path);
    } catch (BackupException.Source | SQLException e) {
      return path;
    }
  }

  private Optional<String> named(Optional<String> database, long tablespace, long file)
      throws BackupException.Source, SQLException {
    Optional<String> name =
        database.isPresent()
            ? ask(connection, "SELECT datname FROM pg_database WHERE oid = ?", database.get())
            : Optional.of(connection.database());
    if (name.isEmpty()) {
      return Optional.empty();
    }
    try (Connection sql = Logins.forQueries(connection.in(name.get()));
        PreparedStatement statement =
            sql.prepareStatement(
                "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n"
                    + " ON n.oid = c.relnamespace WHERE c.oid = pg_filenode_relation(?::oid, ?::oid)")) {
      statement.setLong(1, tablespace);
      statement.setLong(2, file);
      return first(statement).map(relation -> name.get() + "." + relation);
    }
  }

  private static Optional<String> ask(PostgresConnection where, String query, String oid)
      throws BackupException.Source, SQLException {
    try (Connection sql = Logins.forQueries(where);
        PreparedStatement statement = sql.prepareStatement(query)) {
      statement.setLong(1, Long.parseLong(oid));
      return first(statement);
    }
  }

  private static Optional<String> first(PreparedStatement statement) throws SQLException {
    try (ResultSet row = statement.executeQuery()) {
      return row.next() ? Optional.ofNullable(row.getString(1)) : Optional.empty();
    }
  }
}
