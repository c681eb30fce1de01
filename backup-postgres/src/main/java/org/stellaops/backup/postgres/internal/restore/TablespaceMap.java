package org.stellaops.backup.postgres.internal.restore;

import java.util.LinkedHashMap;
import java.util.Map;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * The {@code tablespace_map} of a base backup, by which a starting server finds its tablespaces:
 * lines of an oid, a blank and a path, in which backslash, newline and carriage return are escaped
 * by a backslash (do_pg_backup_start in src/backend/access/transam/xlog.c).
 *
 * @param paths by oid
 */
record TablespaceMap(Map<String, String> paths) {
  TablespaceMap {
    paths = new LinkedHashMap<>(paths);
  }

  static TablespaceMap parse(String text) throws BackupException.Corrupt {
    Map<String, String> paths = new LinkedHashMap<>();
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\' && i + 1 < text.length()) {
        line.append(text.charAt(++i));
      } else if (c == '\n') {
        put(paths, line.toString());
        line.setLength(0);
      } else {
        line.append(c);
      }
    }
    if (!line.isEmpty()) {
      put(paths, line.toString());
    }
    return new TablespaceMap(paths);
  }

  /** As the server writes it. */
  String text() {
    StringBuilder text = new StringBuilder();
    paths.forEach(
        (oid, path) ->
            text.append(oid)
                .append(' ')
                .append(path.replaceAll("[\\\\\n\r]", "\\\\$0"))
                .append('\n'));
    return text.toString();
  }

  private static void put(Map<String, String> paths, String line) throws BackupException.Corrupt {
    int blank = line.indexOf(' ');
    if (blank <= 0 || !line.substring(0, blank).matches("[0-9]{1,10}")) {
      throw new BackupException.Corrupt(
          PostgresFailure.TAR_MALFORMED, "tablespace_map holds the line '" + line + "'");
    }
    paths.put(line.substring(0, blank), line.substring(blank + 1));
  }
}
