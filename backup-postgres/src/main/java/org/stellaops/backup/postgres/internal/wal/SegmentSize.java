package org.stellaops.backup.postgres.internal.wal;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.postgres.Lsn;

/**
 * How long each file of a cluster's WAL is.
 *
 * @param bytes a power of two from 1 MiB to 1 GiB (src/include/access/xlog_internal.h,
 *     IsValidWalSegSize)
 */
public record SegmentSize(int bytes) {
  /** What initdb chooses unless told otherwise. */
  public static final SegmentSize DEFAULT = new SegmentSize(16 << 20);

  private static final Pattern SETTING = Pattern.compile("([0-9]{1,4})(MB|GB)");

  /** Checks the range. */
  public SegmentSize {
    if (bytes < 1 << 20 || bytes > 1 << 30 || Integer.bitCount(bytes) != 1) {
      throw new IllegalArgumentException(
          "not a power of two from 1 MiB to 1 GiB, as a WAL segment's size is: " + bytes);
    }
  }

  /** The size that SHOW wal_segment_size tells: {@code 16MB}. */
  public static SegmentSize parse(String setting) {
    Matcher form = SETTING.matcher(setting);
    if (!form.matches()) {
      throw new IllegalArgumentException("not a size such as 16MB: " + setting);
    }
    int shift = form.group(2).equals("MB") ? 20 : 30;
    long bytes = Long.parseLong(form.group(1)) << shift;
    return new SegmentSize((int) Math.min(bytes, Integer.MAX_VALUE));
  }

  /** Where the segment begins that holds a place. */
  public Lsn floor(Lsn place) {
    return new Lsn(place.position() & -bytes);
  }

  /** How far inside its segment a place is. */
  public int offset(Lsn place) {
    return (int) (place.position() & (bytes - 1));
  }

  /** As {@link #parse} takes it. */
  @Override
  public String toString() {
    return bytes == 1 << 30 ? "1GB" : (bytes >> 20) + "MB";
  }
}
