package org.stellaops.backup.postgres.internal.wal;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file of an archive of WAL, by its name (src/include/access/xlog_internal.h). Each prints the
 * name that {@link #parse} takes.
 */
public sealed interface WalFile {
  /** Which of the four it is. */
  Kind kind();

  /**
   * The file of a name.
   *
   * @throws IllegalArgumentException if no file of an archive has such a name
   */
  static WalFile parse(String name, SegmentSize size) {
    Matcher history = History.FORM.matcher(name);
    if (history.matches()) {
      return new History(Long.parseLong(history.group(1), 16));
    }
    Matcher label = BackupLabel.FORM.matcher(name);
    if (label.matches()) {
      WalSegmentName segment = WalSegmentName.parse(label.group(1), size);
      return new BackupLabel(segment, Long.parseLong(label.group(2), 16));
    }
    if (name.endsWith(PartialSegment.SUFFIX)) {
      String segment = name.substring(0, name.length() - PartialSegment.SUFFIX.length());
      return new PartialSegment(WalSegmentName.parse(segment, size));
    }
    return new Segment(WalSegmentName.parse(name, size));
  }

  /** What callers tell apart. */
  enum Kind {
    SEGMENT,
    PARTIAL_SEGMENT,
    BACKUP_LABEL,
    HISTORY
  }

  /**
   * A whole segment.
   *
   * @param name of the segment and of the file
   */
  record Segment(WalSegmentName name) implements WalFile {
    @Override
    public Kind kind() {
      return Kind.SEGMENT;
    }

    @Override
    public String toString() {
      return name.toString();
    }
  }

  /**
   * The beginning of a segment whose end is not known, or on another timeline.
   *
   * @param segment of which it is a part
   */
  record PartialSegment(WalSegmentName segment) implements WalFile {
    private static final String SUFFIX = ".partial";

    @Override
    public Kind kind() {
      return Kind.PARTIAL_SEGMENT;
    }

    @Override
    public String toString() {
      return segment + SUFFIX;
    }
  }

  /**
   * Where and when a base backup was taken.
   *
   * @param segment in which it began
   * @param offset of its beginning in the segment
   */
  record BackupLabel(WalSegmentName segment, long offset) implements WalFile {
    private static final Pattern FORM = Pattern.compile("([0-9A-F]{24})\\.([0-9A-F]{8})\\.backup");

    /** Checks that the segment has such a place. */
    public BackupLabel {
      if (offset < 0 || offset >= segment.size().bytes()) {
        throw new IllegalArgumentException(
            "segment %s of %s has no byte %d".formatted(segment, segment.size(), offset));
      }
    }

    @Override
    public Kind kind() {
      return Kind.BACKUP_LABEL;
    }

    @Override
    public String toString() {
      return "%s.%08X.backup".formatted(segment, offset);
    }
  }

  /**
   * How a timeline came about.
   *
   * @param timeline from 2 on
   */
  record History(long timeline) implements WalFile {
    private static final Pattern FORM = Pattern.compile("([0-9A-F]{8})\\.history");

    /** Checks the range. */
    public History {
      Timelines.require(timeline);
    }

    @Override
    public Kind kind() {
      return Kind.HISTORY;
    }

    @Override
    public String toString() {
      return TimelineHistory.fileName(timeline);
    }
  }
}
