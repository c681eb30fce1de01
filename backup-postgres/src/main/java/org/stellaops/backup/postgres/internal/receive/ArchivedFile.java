package org.stellaops.backup.postgres.internal.receive;

import org.stellaops.backup.postgres.internal.wal.SegmentSize;
import org.stellaops.backup.postgres.internal.wal.WalFile;

/**
 * A file that a server sends to its archive.
 *
 * @param file by its name
 * @param bytes its length, as it was announced
 */
record ArchivedFile(WalFile file, long bytes) {
  private static final int SMALL_BYTES = 1 << 20;

  /**
   * The file of a name and a length.
   *
   * @throws IllegalArgumentException if no file of an archive has both
   */
  static ArchivedFile of(String name, long bytes) {
    if (name.endsWith(".history") || name.endsWith(".backup")) {
      if (bytes > SMALL_BYTES) {
        throw new IllegalArgumentException("%d bytes are too many for %s".formatted(bytes, name));
      }
      return new ArchivedFile(small(name), bytes);
    }
    SegmentSize size = new SegmentSize((int) Math.min(bytes, Integer.MAX_VALUE));
    return new ArchivedFile(WalFile.parse(name, size), bytes);
  }

  /** A small file does not tell how long the segments are: any size that fits will do. */
  private static WalFile small(String name) {
    for (int bytes = 1 << 20; bytes < 1 << 30; bytes <<= 1) {
      try {
        return WalFile.parse(name, new SegmentSize(bytes));
      } catch (IllegalArgumentException otherSize) {
        // The next one, and the last one says why.
      }
    }
    return WalFile.parse(name, new SegmentSize(1 << 30));
  }
}
