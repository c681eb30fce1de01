package org.stellaops.backup.postgres.internal.restore;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * The {@code backup_label} of a base backup, which tells a starting server where to begin (
 * build_backup_content in src/backend/access/transam/xlogbackup.c).
 *
 * @param text as the server wrote it
 */
record BackupLabel(String text) {
  /** Its name in the data directory. */
  static final String NAME = "backup_label";

  private static final String LSN = "([0-9A-F]{1,8}/[0-9A-F]{1,8})";
  private static final Pattern START =
      line("START WAL LOCATION: " + LSN + " \\(file [0-9A-F]{24}\\)");
  private static final Pattern START_TIMELINE = line("START TIMELINE: ([0-9]{1,10})");
  private static final Pattern SINCE = line("INCREMENTAL FROM LSN: " + LSN);
  private static final Pattern SINCE_TIMELINE = line("INCREMENTAL FROM TLI: ([0-9]{1,10})");

  /** Where its backup begins. */
  Point start() throws BackupException.Corrupt {
    return point(START, START_TIMELINE)
        .orElseThrow(() -> malformed("it does not say where its backup begins"));
  }

  /** Where the backup begins on which this one builds; empty for a full one. */
  Optional<Point> since() throws BackupException.Corrupt {
    return point(SINCE, SINCE_TIMELINE);
  }

  /** As the label of a full backup: with it a server starts. */
  String ofFull() {
    return text.lines()
        .filter(line -> !line.startsWith("INCREMENTAL FROM "))
        .map(line -> line + "\n")
        .collect(Collectors.joining());
  }

  private Optional<Point> point(Pattern lsn, Pattern timeline) throws BackupException.Corrupt {
    Matcher at = lsn.matcher(text);
    Matcher on = timeline.matcher(text);
    boolean hasLsn = at.find();
    if (hasLsn != on.find()) {
      throw malformed("it has an LSN without a timeline, or the reverse");
    }
    return hasLsn
        ? Optional.of(new Point(Lsn.parse(at.group(1)), Long.parseLong(on.group(1))))
        : Optional.empty();
  }

  private static Pattern line(String form) {
    return Pattern.compile("^" + form + "$", Pattern.MULTILINE);
  }

  private static BackupException.Corrupt malformed(String what) {
    return new BackupException.Corrupt(PostgresFailure.CHAIN_BROKEN, NAME + ": " + what);
  }

  /**
   * A place in the history of a cluster.
   *
   * @param lsn the position
   * @param timeline the branch
   */
  record Point(Lsn lsn, long timeline) {
    @Override
    public String toString() {
      return lsn + " on timeline " + timeline;
    }
  }
}
