package org.stellaops.backup.postgres.internal.restore;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * What a server is told to recover: settings in {@code postgresql.auto.conf}, which win over those
 * of other files, and {@code recovery.signal} (documentation, "Recovering Using a Continuous
 * Archive Backup").
 */
final class RecoverySettings {
  /** Below the data directory, where the server's commands run. */
  static final String WAL_DIRECTORY = "restored_wal";

  private static final String FILE = "postgresql.auto.conf";
  private static final long MAX_FILE_BYTES = 1 << 20;

  /** A target that was set before would be a second one, which no server starts with. */
  private static final List<String> NAMES =
      List.of(
          "restore_command",
          "recovery_end_command",
          "archive_cleanup_command",
          "recovery_target",
          "recovery_target_name",
          "recovery_target_time",
          "recovery_target_xid",
          "recovery_target_lsn",
          "recovery_target_inclusive",
          "recovery_target_timeline",
          "recovery_target_action",
          "recovery_min_apply_delay");

  private static final String STANDBY = "standby.signal";
  private static final String SIGNAL = "recovery.signal";

  private RecoverySettings() {}

  /** Writes them into a data directory that was unpacked, and in which there are no signals. */
  static void write(Path data, Replay replay) throws IOException {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("restore_command", "cp \"%s/%%f\" \"%%p\"".formatted(WAL_DIRECTORY));
    settings.put("recovery_end_command", "rm -rf " + WAL_DIRECTORY);
    settings.put("recovery_target_timeline", Long.toString(replay.timeline()));
    settings.put("recovery_target_action", "promote");
    // That of a delayed standby would hold up this replay, too.
    settings.put("recovery_min_apply_delay", "0");
    settings.putAll(replay.target());
    rewrite(data.resolve(FILE), settings);
    Directories.createFile(data.resolve(SIGNAL)).close();
  }

  /**
   * Removes what a standby's backup, or that of a server in recovery, brings along and what would
   * make the restored server follow its old primary, or wait for WAL for ever. Without it the
   * server asks {@code backup_label} alone, replays what is there, and opens.
   *
   * @return what was there
   */
  static List<String> forgetSignals(Path data) throws IOException {
    List<String> found = new ArrayList<>();
    for (String name : List.of(STANDBY, SIGNAL)) {
      if (Files.deleteIfExists(data.resolve(name))) {
        found.add(name);
      }
    }
    return found;
  }

  private static void rewrite(Path file, Map<String, String> settings) throws IOException {
    StringBuilder text = new StringBuilder();
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      for (String line : lines(file)) {
        if (!isOfRecovery(line)) {
          text.append(line).append('\n');
        }
      }
      Files.delete(file);
    }
    settings.forEach(
        (name, value) ->
            text.append(name).append(" = '").append(value.replace("'", "''")).append("'\n"));
    try (FileChannel out = Directories.createFile(file)) {
      ByteBuffer bytes = ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.ISO_8859_1));
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
    }
  }

  /** In an encoding that keeps every byte as it is. */
  private static List<String> lines(Path file) throws IOException {
    boolean isFile = Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
    if (!isFile || Files.size(file) > MAX_FILE_BYTES) {
      throw new BackupException.Corrupt(
          PostgresFailure.TAR_MALFORMED, FILE + " is no file of settings");
    }
    return Files.readString(file, StandardCharsets.ISO_8859_1).lines().toList();
  }

  private static boolean isOfRecovery(String line) {
    return NAMES.contains(line.strip().split("[\\s=]", 2)[0].toLowerCase(Locale.ROOT));
  }
}
