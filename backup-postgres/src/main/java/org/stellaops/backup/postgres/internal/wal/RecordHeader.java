package org.stellaops.backup.postgres.internal.wal;

import java.util.zip.CRC32C;

/**
 * The first bytes of a record of WAL (src/include/access/xlogrecord.h, XLogRecord; numbers of
 * resource managers: src/include/access/rmgrlist.h):
 *
 * <pre>
 *  0 uint32 xl_tot_len     16 uint8  xl_info
 *  4 uint32 xl_xid         17 uint8  xl_rmid
 *  8 uint64 xl_prev        18 (2 bytes unused)
 *                          20 uint32 xl_crc
 * </pre>
 */
final class RecordHeader {
  static final int BYTES = 24;

  /** So much of a header is on one page always, for records begin at multiples of 8. */
  static final int LENGTH_BYTES = 4;

  /** MaxAllocSize: the server has to hold a record in memory. */
  private static final long MAX_RECORD_BYTES = 0x3FFF_FFFFL;

  /** CRC-32C of all but itself: first of what is behind the header, then of the header. */
  private static final int CRC_OFFSET = 20;

  private static final int RM_XLOG = 0;
  private static final int RM_XACT = 1;
  private static final int XLOG_CHECKPOINT_SHUTDOWN = 0x00;
  private static final int XLOG_CHECKPOINT_ONLINE = 0x10;
  private static final int XLOG_SWITCH = 0x40;
  private static final int XLOG_RESTORE_POINT = 0x70;

  /** The half of xl_info that belongs to the resource manager. */
  private static final int OPERATION = 0xF0;

  private final byte[] bytes = new byte[BYTES];
  private int filled;

  void begin() {
    filled = 0;
  }

  /** Takes bytes and says how many. */
  int take(byte[] source, int offset, int available) {
    int count = Math.min(BYTES - filled, available);
    System.arraycopy(source, offset, bytes, filled, count);
    filled += count;
    return count;
  }

  int filled() {
    return filled;
  }

  boolean isWhole() {
    return filled == BYTES;
  }

  /** Length of the whole record; once {@link #LENGTH_BYTES} are there. */
  long length() {
    return LittleEndian.uint32(bytes, 0);
  }

  boolean isLengthPossible() {
    return length() >= BYTES && length() <= MAX_RECORD_BYTES;
  }

  /** Whether what is there so far was never written. */
  boolean isBlank() {
    for (int i = 0; i < filled; i++) {
      if (bytes[i] != 0) {
        return false;
      }
    }
    return true;
  }

  long xid() {
    return LittleEndian.uint32(bytes, 4);
  }

  /** Where the record before begins. */
  long previous() {
    return LittleEndian.int64(bytes, 8);
  }

  int operation() {
    return bytes[16] & OPERATION;
  }

  boolean isOfTransactions() {
    return bytes[17] == RM_XACT;
  }

  boolean isRestorePoint() {
    return bytes[17] == RM_XLOG && operation() == XLOG_RESTORE_POINT;
  }

  boolean isCheckpoint() {
    return bytes[17] == RM_XLOG
        && (operation() == XLOG_CHECKPOINT_SHUTDOWN || operation() == XLOG_CHECKPOINT_ONLINE);
  }

  /** Whether the rest of the segment is left empty behind it. */
  boolean isSwitch() {
    return bytes[17] == RM_XLOG && operation() == XLOG_SWITCH;
  }

  /** Whether the record is as it was written, of which {@code rest} has seen all behind this. */
  boolean isIntact(CRC32C rest) {
    rest.update(bytes, 0, CRC_OFFSET);
    return rest.getValue() == LittleEndian.uint32(bytes, CRC_OFFSET);
  }
}
