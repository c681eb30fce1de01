package org.stellaops.backup.postgres.internal.wal;

import java.util.Arrays;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * The first bytes of a page of WAL (src/include/access/xlog_internal.h, XLogPageHeaderData and
 * XLogLongPageHeaderData):
 *
 * <pre>
 *  0 uint16 xlp_magic      20 (4 bytes unused)
 *  2 uint16 xlp_info       24 uint64 xlp_sysid        first page of a segment only,
 *  4 uint32 xlp_tli        32 uint32 xlp_seg_size     up to 40
 *  8 uint64 xlp_pageaddr   36 uint32 xlp_xlog_blcksz
 * 16 uint32 xlp_rem_len
 * </pre>
 */
final class PageHeader {
  /** XLOG_BLCKSZ, unless the server was compiled to differ. */
  static final int PAGE_BYTES = 8192;

  private static final int SHORT_BYTES = 24;
  private static final int LONG_BYTES = 40;

  private static final byte[] BLANK = new byte[LONG_BYTES];

  private static final int CONTINUES_RECORD = 0x0001;
  private static final int IS_LONG = 0x0002;
  private static final int OVERWRITES_RECORD = 0x0008;
  private static final int ALL_FLAGS = 0x000F;

  private final WalOrigin origin;
  private final byte[] bytes = new byte[LONG_BYTES];
  private Lsn page;
  private int length;
  private int filled;
  private long timeline = 1;

  PageHeader(WalOrigin origin, Lsn first) {
    this.origin = origin;
    this.page = first;
    begin(first);
  }

  /** A page begins there. */
  void begin(Lsn page) {
    this.page = page;
    filled = 0;
    length = isFirstOfSegment() ? LONG_BYTES : SHORT_BYTES;
  }

  /** Takes bytes and says how many. */
  int take(byte[] source, int offset, int available) {
    int count = Math.min(length - filled, available);
    System.arraycopy(source, offset, bytes, filled, count);
    filled += count;
    return count;
  }

  boolean isWhole() {
    return filled == length;
  }

  /** Whether nothing was ever written here. */
  boolean isBlank() {
    return Arrays.equals(bytes, 0, length, BLANK, 0, length);
  }

  /** Whether the server began anew here after a crash, and dropped a record that was unfinished. */
  boolean dropsRecord() {
    return (info() & OVERWRITES_RECORD) != 0;
  }

  /** How many bytes of the record before are still to come. */
  long remaining() {
    return LittleEndian.uint32(bytes, 16);
  }

  /** Compares all that is known without the records. */
  void check() throws BackupException.Corrupt {
    require("magic", origin.magic(), LittleEndian.uint16(bytes, 0));
    require("address", page.position(), LittleEndian.int64(bytes, 8));
    require("flags", isFirstOfSegment() ? IS_LONG : 0, info() & (IS_LONG | ~ALL_FLAGS));
    boolean continues = (info() & CONTINUES_RECORD) != 0;
    if (continues != remaining() > 0 || continues && dropsRecord()) {
      throw damaged("flags 0x%04x do not go with %d bytes".formatted(info(), remaining()));
    }
    checkTimeline();
    if (isFirstOfSegment()) {
      require("system identifier", origin.system(), LittleEndian.int64(bytes, 24));
      require("segment size", origin.segmentSize().bytes(), LittleEndian.uint32(bytes, 32));
      require("page size", PAGE_BYTES, LittleEndian.uint32(bytes, 36));
    }
  }

  /** Refuses a page that does not go on with a record of which so many bytes are missing. */
  void checkContinues(long missing) throws BackupException.Corrupt {
    require("bytes left of a record", missing, remaining());
  }

  /** A segment begins with what was copied of its ancestors, so timelines rise, and never fall. */
  private void checkTimeline() throws BackupException.Corrupt {
    long found = LittleEndian.uint32(bytes, 4);
    if (found < timeline || found > origin.timeline()) {
      throw damaged(
          "expected a timeline from %d to %d, found %d"
              .formatted(timeline, origin.timeline(), found));
    }
    timeline = found;
  }

  private void require(String what, long expected, long found) throws BackupException.Corrupt {
    if (expected != found) {
      throw damaged("%s: expected 0x%x, found 0x%x".formatted(what, expected, found));
    }
  }

  private BackupException.Corrupt damaged(String how) {
    return new BackupException.Corrupt(
        PostgresFailure.WAL_DAMAGED, "read the page of WAL at %s: %s".formatted(page, how));
  }

  private boolean isFirstOfSegment() {
    return origin.segmentSize().offset(page) == 0;
  }

  private int info() {
    return LittleEndian.uint16(bytes, 2);
  }
}
