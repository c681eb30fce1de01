package org.stellaops.backup.postgres.internal.increment;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * The beginning of an incremental file, read while it passes: magic, count of blocks, truncation
 * length, the numbers of the blocks, all 32 bits and little endian; padded to a whole block if any
 * block follows (push_to_sink and sendFile in src/backend/backup/basebackup.c).
 *
 * <p>Up to the truncation length, a block that is not in the file is as it was in the backup
 * before; from there on it is a page of zeros, or not there at all.
 */
public final class IncrementalHeader {
  /** Bytes of a block: BLCKSZ. */
  public static final int BLOCK_BYTES = 8192;

  /** Blocks of the longest file of a relation: RELSEG_SIZE. */
  public static final int SEGMENT_BLOCKS = 131_072;

  private static final int MAGIC = 0xd3ae1f0d;
  private static final int FIXED_BYTES = 3 * Integer.BYTES;

  private final String path;
  private final long fileBytes;
  private ByteBuffer header = buffer(FIXED_BYTES);
  private boolean isFixedRead;
  private int count;
  private int truncationBlocks;

  /**
   * Of one file.
   *
   * @param path for messages
   * @param fileBytes of the whole file
   */
  public IncrementalHeader(String path, long fileBytes) throws BackupException.Corrupt {
    this.path = path;
    this.fileBytes = fileBytes;
    if (fileBytes < FIXED_BYTES) {
      throw malformed("it has %d bytes, its header alone has %d".formatted(fileBytes, FIXED_BYTES));
    }
  }

  /**
   * Takes bytes up to the end of the header.
   *
   * @return how many were taken
   */
  public int accept(byte[] bytes, int offset, int length) throws BackupException.Corrupt {
    int taken = 0;
    while (taken < length && !isComplete()) {
      int n = Math.min(length - taken, header.remaining());
      header.put(bytes, offset + taken, n);
      taken += n;
      if (!isFixedRead && !header.hasRemaining()) {
        readFixed();
      } else if (isComplete()) {
        requireAscending();
      }
    }
    return taken;
  }

  /** Whether blocks follow now. */
  public boolean isComplete() {
    return isFixedRead && !header.hasRemaining();
  }

  /** How many blocks follow. */
  public int count() {
    return count;
  }

  /** Number of a block within the relation's file, ascending with {@code index}. */
  public int block(int index) {
    return header.getInt(FIXED_BYTES + index * Integer.BYTES);
  }

  /** From which block on the backup before has nothing to say. */
  public int truncationBlocks() {
    return truncationBlocks;
  }

  /** How long the relation's file is. */
  public int wholeBlocks() {
    return count == 0 ? truncationBlocks : Math.max(truncationBlocks, block(count - 1) + 1);
  }

  private void readFixed() throws BackupException.Corrupt {
    int magic = header.getInt(0);
    if (magic != MAGIC) {
      throw malformed("expected the magic %08x, found %08x".formatted(MAGIC, magic));
    }
    long blocks = Integer.toUnsignedLong(header.getInt(Integer.BYTES));
    long headerBytes = headerBytes(blocks);
    if (blocks > SEGMENT_BLOCKS || headerBytes + blocks * BLOCK_BYTES != fileBytes) {
      throw malformed("it claims %d blocks and has %d bytes".formatted(blocks, fileBytes));
    }
    count = (int) blocks;
    // Some minor releases write more than a file can have, when the relation has several files.
    long truncation = Integer.toUnsignedLong(header.getInt(2 * Integer.BYTES));
    truncationBlocks = (int) Math.min(truncation, SEGMENT_BLOCKS);
    isFixedRead = true;
    header = buffer((int) headerBytes).put(header.flip());
  }

  private static long headerBytes(long blocks) {
    long plain = FIXED_BYTES + blocks * Integer.BYTES;
    return blocks == 0 ? plain : (plain + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
  }

  private void requireAscending() throws BackupException.Corrupt {
    int before = -1;
    for (int i = 0; i < count; i++) {
      int block = block(i);
      if (block <= before || block >= SEGMENT_BLOCKS) {
        throw malformed(
            "block %s follows block %d; expected ascending numbers below %d"
                .formatted(Integer.toUnsignedString(block), before, SEGMENT_BLOCKS));
      }
      before = block;
    }
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private BackupException.Corrupt malformed(String what) {
    return new BackupException.Corrupt(
        PostgresFailure.INCREMENT_MALFORMED, "incremental file %s: %s".formatted(path, what));
  }
}
