package org.stellaops.backup.postgres.internal.wal;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * How a timeline came about: what a {@code .history} file says
 * (src/backend/access/transam/timeline.c).
 *
 * @param timeline whose history it is
 * @param ancestors oldest first, with rising numbers below {@code timeline}; empty for the first
 *     timeline of a cluster
 */
public record TimelineHistory(long timeline, List<Ancestor> ancestors) {
  private static final Pattern LINE =
      Pattern.compile("([0-9]{1,10})\t([0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8})(?:\t(.*))?");

  /** Checks the order. */
  public TimelineHistory {
    Timelines.require(timeline);
    ancestors = List.copyOf(ancestors);
    long before = 0;
    for (Ancestor ancestor : ancestors) {
      if (ancestor.timeline() <= before || ancestor.timeline() >= timeline) {
        throw new IllegalArgumentException(
            "timeline %d cannot stand between %d and %d"
                .formatted(ancestor.timeline(), before, timeline));
      }
      before = ancestor.timeline();
    }
  }

  /**
   * What a file says.
   *
   * @param timeline of the file's name
   * @throws BackupException.Corrupt if it is no history of this timeline
   */
  public static TimelineHistory parse(long timeline, byte[] content)
      throws BackupException.Corrupt {
    List<Ancestor> ancestors = new ArrayList<>();
    String text = new String(content, StandardCharsets.UTF_8);
    for (String line : text.split("\r?\n", -1)) {
      if (!line.isBlank() && !line.startsWith("#")) {
        ancestors.add(ancestor(timeline, line));
      }
    }
    if (ancestors.isEmpty()) {
      throw damaged(timeline, "it names no ancestor");
    }
    try {
      return new TimelineHistory(timeline, ancestors);
    } catch (IllegalArgumentException e) {
      throw damaged(timeline, String.valueOf(e.getMessage()));
    }
  }

  /** Name of a timeline's file. */
  public static String fileName(long timeline) {
    return "%08X.history".formatted(Timelines.require(timeline));
  }

  /**
   * On which timeline the byte at a place is, seen from this one. Told from the newest on: a
   * timeline may have been left before it was entered (timeline.c, tliOfPointInHistory).
   */
  public long timelineAt(Lsn place) {
    long found = timeline;
    for (int i = ancestors.size() - 1; i >= 0; i--) {
      Ancestor ancestor = ancestors.get(i);
      if (place.compareTo(ancestor.end()) >= 0) {
        return found;
      }
      found = ancestor.timeline();
    }
    return found;
  }

  /** Whether what a timeline holds up to a place, which is behind its last byte, is of this one. */
  public boolean holds(long other, Lsn end) {
    boolean isOurs = other == timeline;
    for (Ancestor ancestor : ancestors) {
      isOurs |= ancestor.timeline() == other;
      if (isOurs && ancestor.timeline() >= other && end.compareTo(ancestor.end()) > 0) {
        return false;
      }
    }
    return isOurs;
  }

  private static Ancestor ancestor(long timeline, String line) throws BackupException.Corrupt {
    Matcher form = LINE.matcher(line);
    if (!form.matches()) {
      throw damaged(timeline, "expected timeline, LSN and reason, found: " + line);
    }
    String reason = form.group(3);
    return new Ancestor(
        Long.parseLong(form.group(1)), Lsn.parse(form.group(2)), reason == null ? "" : reason);
  }

  private static BackupException.Corrupt damaged(long timeline, String how) {
    return new BackupException.Corrupt(
        PostgresFailure.WAL_DAMAGED, "read %s: %s".formatted(fileName(timeline), how));
  }

  /**
   * A timeline that was left.
   *
   * @param timeline its number
   * @param end where it was left: behind the last byte that counts
   * @param reason for people
   */
  public record Ancestor(long timeline, Lsn end, String reason) {}
}
