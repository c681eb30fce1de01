package org.stellaops.backup.postgres.internal.wal;

import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * What the first page of a segment says of the cluster that wrote it; see {@link PageHeader} for
 * the layout.
 *
 * @param major version of the server
 * @param systemIdentifier of the cluster: unsigned 64 bit in decimal
 * @param segmentSize of the cluster
 */
public record SegmentHeader(int major, String systemIdentifier, SegmentSize segmentSize) {
  /** How many bytes of a segment {@link #parse} looks at. */
  public static final int BYTES = 40;

  private static final int SYSTEM_AT = 24;
  private static final int SIZE_AT = 32;

  /**
   * The header of a segment.
   *
   * @param bytes which begin with it
   * @param what it is, for the message
   * @throws BackupException.Corrupt if no server that is known here writes such a segment
   */
  public static SegmentHeader parse(byte[] bytes, String what) throws BackupException.Corrupt {
    int magic = LittleEndian.uint16(bytes, 0);
    int major =
        WalOrigin.major(magic)
            .orElseThrow(
                () ->
                    damaged(
                        "read %s: expected a page of the WAL of PostgreSQL 15 to 18, found magic 0x%04x"
                            .formatted(what, magic)));
    long size = LittleEndian.uint32(bytes, SIZE_AT);
    String system = Long.toUnsignedString(LittleEndian.int64(bytes, SYSTEM_AT));
    try {
      return new SegmentHeader(
          major, system, new SegmentSize((int) Math.min(size, Integer.MAX_VALUE)));
    } catch (IllegalArgumentException e) {
      throw damaged("read %s: %s".formatted(what, e.getMessage()));
    }
  }

  /** Whose WAL the segment is. */
  public WalOrigin origin(long timeline) {
    return new WalOrigin(major, systemIdentifier, segmentSize, timeline);
  }

  private static BackupException.Corrupt damaged(String how) {
    return new BackupException.Corrupt(PostgresFailure.WAL_DAMAGED, how);
  }
}
