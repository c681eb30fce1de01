package org.stellaops.backup.postgres.internal.wal;

import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Whose WAL it is, and so how it is laid out.
 *
 * @param major version of the server, 15 to 18
 * @param systemIdentifier of the cluster: unsigned 64 bit in decimal
 * @param segmentSize of the cluster
 * @param timeline to which the WAL belongs; what was copied from its ancestors may be in it
 */
public record WalOrigin(
    int major, String systemIdentifier, SegmentSize segmentSize, long timeline) {
  private static final int OLDEST = 15;
  private static final int NEWEST = 18;

  /** Checks version and timeline. */
  public WalOrigin {
    if (magic(major) < 0) {
      throw new IllegalArgumentException("the WAL of PostgreSQL " + major + " is not known here");
    }
    Long.parseUnsignedLong(systemIdentifier);
    Timelines.require(timeline);
  }

  /** First two bytes of each page. */
  int magic() {
    return magic(major);
  }

  /** Bytes of an xl_xact_stats_item (src/include/access/xact.h): from 18 on its id has 64 bits. */
  int statsItemBytes() {
    return major >= 18 ? 16 : 12;
  }

  long system() {
    return Long.parseUnsignedLong(systemIdentifier);
  }

  /** The version whose pages begin so; empty if none that is known here does. */
  static OptionalInt major(int magic) {
    return IntStream.rangeClosed(OLDEST, NEWEST).filter(m -> magic(m) == magic).findFirst();
  }

  /** XLOG_PAGE_MAGIC of src/include/access/xlog_internal.h in each release. */
  private static int magic(int major) {
    return switch (major) {
      case 15 -> 0xD110;
      case 16 -> 0xD113;
      case 17 -> 0xD116;
      case 18 -> 0xD118;
      default -> -1;
    };
  }
}
