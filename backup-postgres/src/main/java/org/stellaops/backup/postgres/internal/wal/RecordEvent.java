package org.stellaops.backup.postgres.internal.wal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.stellaops.backup.postgres.Lsn;

/**
 * Reads the end of a transaction, a restore point or a checkpoint from the bytes behind a record's
 * header, as they come, and keeps no more of them than one field (src/include/access/xlogrecord.h,
 * "XLR_"; src/include/access/xact.h, xl_xact_commit and xl_xact_abort;
 * src/include/access/xlog_internal.h, xl_restore_point; src/include/catalog/pg_control.h,
 * CheckPoint).
 */
final class RecordEvent {
  private static final int BLOCK_ID_TOPLEVEL_XID = 252;
  private static final int BLOCK_ID_ORIGIN = 253;
  private static final int BLOCK_ID_DATA_LONG = 254;
  private static final int BLOCK_ID_DATA_SHORT = 255;

  private static final int COMMIT = 0x00;
  private static final int ABORT = 0x20;
  private static final int COMMIT_PREPARED = 0x30;
  private static final int ABORT_PREPARED = 0x40;
  private static final int XACT_OPERATION = 0x70;
  private static final int XACT_HAS_INFO = 0x80;

  private static final int HAS_DATABASE = 1;
  private static final int DATABASE_BYTES = 8;
  private static final int HAS_PREPARED_XID = 1 << 4;

  /** Flags of the lists before a prepared transaction's number, in their order. */
  private static final int[] LISTS = {1 << 1, 1 << 2, 1 << 8, 1 << 3};

  /** A time and a name, MAXFNAMELEN, which ends with a zero. */
  private static final int RESTORE_POINT_BYTES = 8 + 64;

  /** What stands before the time of a checkpoint, in all versions. */
  private static final int CHECKPOINT_TIME_OFFSET = 64;

  /** Bytes of an item of each of {@link #LISTS}. */
  private final int[] itemBytes;

  private final byte[] field = new byte[RESTORE_POINT_BYTES];
  private Step step = Step.DONE;
  private int needed;
  private int filled;
  private long skipped;
  private int operation;
  private boolean hasInfo;
  private boolean isRestorePoint;
  private boolean isCheckpoint;
  private long flags;
  private int list;
  private Instant time = Instant.EPOCH;
  private long preparedXid;
  private String name = "";

  RecordEvent(WalOrigin origin) {
    this.itemBytes = new int[] {4, 12, origin.statsItemBytes(), 16};
  }

  /** A record begins; says whether it is of any interest. */
  boolean begin(RecordHeader header) {
    isRestorePoint = header.isRestorePoint();
    isCheckpoint = header.isCheckpoint();
    operation = header.operation() & XACT_OPERATION;
    hasInfo = (header.operation() & XACT_HAS_INFO) != 0;
    preparedXid = 0;
    boolean isOfInterest =
        isRestorePoint || isCheckpoint || header.isOfTransactions() && isEnd(operation);
    skipped = 0;
    if (isOfInterest) {
      need(Step.BLOCK_ID, 1);
    } else {
      step = Step.DONE;
    }
    return isOfInterest;
  }

  /** Takes what follows of the record. */
  void take(byte[] bytes, int offset, int length) {
    int at = offset;
    int end = offset + length;
    while (at < end && step != Step.DONE && step != Step.UNKNOWN) {
      if (skipped > 0) {
        int count = (int) Math.min(skipped, end - at);
        skipped -= count;
        at += count;
      } else {
        int count = Math.min(needed - filled, end - at);
        System.arraycopy(bytes, at, field, filled, count);
        filled += count;
        at += count;
        if (filled == needed) {
          read();
        }
      }
    }
  }

  /** Whether all was there, in a form that is known. */
  boolean isUnderstood() {
    return step == Step.DONE;
  }

  /** Tells what was read. */
  void tell(WalListener listener, Lsn end, long xid) throws IOException {
    if (isRestorePoint) {
      listener.restorePoint(end, name, time);
    } else if (isCheckpoint) {
      listener.checkpoint(end, time);
    } else if (operation == COMMIT || operation == COMMIT_PREPARED) {
      listener.committed(end, operation == COMMIT ? xid : preparedXid, time);
    } else {
      listener.aborted(end, operation == ABORT ? xid : preparedXid, time);
    }
  }

  private static boolean isEnd(int operation) {
    return operation == COMMIT
        || operation == ABORT
        || operation == COMMIT_PREPARED
        || operation == ABORT_PREPARED;
  }

  private void need(Step next, int bytes) {
    step = next;
    needed = bytes;
    filled = 0;
  }

  private void read() {
    switch (step) {
      case BLOCK_ID -> readBlockId();
      case DATA_LENGTH -> beginData();
      case CHECKPOINT -> {
        time = Instant.ofEpochSecond(LittleEndian.int64(field, 0));
        step = Step.DONE;
      }
      case POINT -> {
        readTime();
        readName();
        step = Step.DONE;
      }
      case TIME -> {
        readTime();
        if (hasInfo) {
          need(Step.FLAGS, 4);
        } else {
          step = Step.DONE;
        }
      }
      case FLAGS -> readFlags();
      case COUNT -> {
        skipped = LittleEndian.uint32(field, 0) * itemBytes[list];
        list++;
        nextList();
      }
      case PREPARED_XID -> {
        preparedXid = LittleEndian.uint32(field, 0);
        step = Step.DONE;
      }
      default -> throw new AssertionError("nothing is read in " + step);
    }
  }

  private void beginData() {
    if (isRestorePoint) {
      need(Step.POINT, RESTORE_POINT_BYTES);
    } else if (isCheckpoint) {
      skipped = CHECKPOINT_TIME_OFFSET;
      need(Step.CHECKPOINT, Long.BYTES);
    } else {
      need(Step.TIME, Long.BYTES);
    }
  }

  private void readBlockId() {
    switch (LittleEndian.uint8(field, 0)) {
      case BLOCK_ID_DATA_SHORT -> need(Step.DATA_LENGTH, 1);
      case BLOCK_ID_DATA_LONG -> need(Step.DATA_LENGTH, 4);
      case BLOCK_ID_ORIGIN -> {
        skipped = 2;
        need(Step.BLOCK_ID, 1);
      }
      case BLOCK_ID_TOPLEVEL_XID -> {
        skipped = 4;
        need(Step.BLOCK_ID, 1);
      }
      default -> step = Step.UNKNOWN;
    }
  }

  private void readFlags() {
    flags = LittleEndian.uint32(field, 0);
    skipped = (flags & HAS_DATABASE) != 0 ? DATABASE_BYTES : 0;
    list = 0;
    nextList();
  }

  private void nextList() {
    while (list < LISTS.length && (flags & LISTS[list]) == 0) {
      list++;
    }
    if (list < LISTS.length) {
      need(Step.COUNT, 4);
    } else if ((flags & HAS_PREPARED_XID) != 0) {
      need(Step.PREPARED_XID, 4);
    } else {
      step = Step.DONE;
    }
  }

  private void readTime() {
    time = ServerTime.instant(LittleEndian.int64(field, 0));
  }

  private void readName() {
    int end = Long.BYTES;
    while (end < field.length && field[end] != 0) {
      end++;
    }
    name = new String(field, Long.BYTES, end - Long.BYTES, StandardCharsets.UTF_8);
  }

  private enum Step {
    BLOCK_ID,
    DATA_LENGTH,
    POINT,
    CHECKPOINT,
    TIME,
    FLAGS,
    COUNT,
    PREPARED_XID,
    DONE,
    UNKNOWN
  }
}
