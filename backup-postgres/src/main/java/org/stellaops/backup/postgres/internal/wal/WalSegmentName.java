package org.stellaops.backup.postgres.internal.wal;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.postgres.Lsn;

/**
 * Name of a WAL segment: 24 hexadecimal digits, eight each for its timeline, the upper half of its
 * LSN, and its number within the 4 GiB of that (src/include/access/xlog_internal.h, XLogFileName).
 *
 * @param timeline that the file belongs to
 * @param start LSN of its first byte
 * @param size of all segments of the cluster
 */
public record WalSegmentName(long timeline, Lsn start, SegmentSize size) {
  private static final Pattern FORM = Pattern.compile("([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})");

  /** Checks that a segment begins there. */
  public WalSegmentName {
    Timelines.require(timeline);
    if (size.offset(start) != 0) {
      throw new IllegalArgumentException("no segment of " + size + " begins at " + start);
    }
  }

  /** The segment of a timeline that holds a place. */
  public static WalSegmentName holding(Lsn place, long timeline, SegmentSize size) {
    return new WalSegmentName(timeline, size.floor(place), size);
  }

  /**
   * The segment of a name.
   *
   * @throws IllegalArgumentException if it is not the name of a segment of this size
   */
  public static WalSegmentName parse(String text, SegmentSize size) {
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      throw new IllegalArgumentException(
          "not a WAL segment such as 000000010000000A000000FE: " + text);
    }
    long number = Long.parseLong(form.group(3), 16);
    if (number > 0xFFFF_FFFFL / size.bytes()) {
      throw new IllegalArgumentException("no WAL segment of " + size + ": " + text);
    }
    Lsn start = new Lsn((Long.parseLong(form.group(2), 16) << 32) + number * size.bytes());
    return new WalSegmentName(Long.parseLong(form.group(1), 16), start, size);
  }

  /** LSN behind its last byte. */
  public Lsn end() {
    return new Lsn(start.position() + size.bytes());
  }

  /** The one behind it on the same timeline. */
  public WalSegmentName next() {
    return new WalSegmentName(timeline, end(), size);
  }

  /** The name. */
  @Override
  public String toString() {
    long position = start.position();
    return "%08X%08X%08X"
        .formatted(timeline, position >>> 32, (position & 0xFFFF_FFFFL) / size.bytes());
  }
}
