package org.stellaops.backup.postgres;

import java.nio.file.Path;
import java.util.List;

/**
 * PostgreSQL's own programs on this machine: {@code postgres} and {@code pg_ctl} to start a
 * restored cluster, {@code pg_dump}, {@code pg_dumpall} and {@code pg_restore} for logical backups.
 * A value; starts nothing by itself, and looks for nothing in {@code PATH}.
 *
 * @param directory holds the programs: {@code /usr/lib/postgresql/17/bin}
 * @param launcher what stands before a server in its command line; mostly nothing
 */
public record PostgresPrograms(Path directory, List<String> launcher) {
  public PostgresPrograms {
    directory = directory.toAbsolutePath().normalize();
    launcher = List.copyOf(launcher);
  }

  /** The programs of one version. */
  public static PostgresPrograms in(Path directory) {
    return new PostgresPrograms(directory, List.of());
  }

  /**
   * The same, the server started by another program. A server refuses to run as root; {@code
   * unshare -U} starts it in a user namespace, where it is nobody and still owns its files. The
   * prefix must leave the server the user of this process: the restored files, and the socket by
   * which it is asked, are for nobody else.
   */
  public PostgresPrograms launchedBy(String... prefix) {
    return new PostgresPrograms(directory, List.of(prefix));
  }
}
