package org.stellaops.backup.postgres.internal.restore;

import static org.stellaops.backup.postgres.internal.increment.IncrementalHeader.BLOCK_BYTES;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;
import java.util.Set;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.postgres.internal.increment.IncrementalHeader;

/**
 * A file of a relation that is put together from several captures, the newest first, in its staging
 * place. What a newer capture wrote stays; an older one fills gaps only, and only below the {@link
 * #limit}: what lies above was cut off after it.
 */
final class RelationFile {
  private final String path;
  private final Path file;
  private final BitSet present = new BitSet();
  private int blocks = -1;
  private int limit = IncrementalHeader.SEGMENT_BLOCKS;
  private boolean isSeen;

  /**
   * A file of which nothing is written yet.
   *
   * @param path in the data directory
   * @param file where it is staged; exists
   */
  RelationFile(String path, Path file) {
    this.path = path;
    this.file = file;
  }

  String path() {
    return path;
  }

  /** Its length in the end, known when its newest increment was read. */
  int blocks() {
    return blocks;
  }

  /** From this block on no older capture has a say. */
  int limit() {
    return limit;
  }

  /** The blocks that are written. */
  BitSet present() {
    return present;
  }

  /** Whether the next older capture's version of a block is to be written. */
  boolean wants(int block) {
    return block < limit && !present.get(block);
  }

  /** An increment was read to its end. */
  void applied(IncrementalHeader header) {
    if (blocks < 0) {
      blocks = header.wholeBlocks();
    }
    limit = Math.min(limit, header.truncationBlocks());
  }

  /** Whether {@code bytes} of an older capture are just what it has to be in the end. */
  boolean isAsIn(long bytes) {
    return present.isEmpty() && blocks <= limit && (long) blocks * BLOCK_BYTES == bytes;
  }

  /** Notes that the capture which is being read holds it; false if that was noted before. */
  boolean see() {
    boolean isFirst = !isSeen;
    isSeen = true;
    return isFirst;
  }

  /** Whether the capture that was read holds it; the next has not been asked. */
  boolean wasSeen() {
    boolean was = isSeen;
    isSeen = false;
    return was;
  }

  /** The caller closes it. */
  FileChannel open() throws BackupException.Target {
    try {
      return FileChannel.open(
          file,
          Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS));
    } catch (IOException e) {
      throw failed("open", e);
    }
  }

  /** Writes whole blocks. */
  void write(FileChannel to, byte[] bytes, int length, long position)
      throws BackupException.Target {
    try {
      long at = position;
      for (ByteBuffer left = ByteBuffer.wrap(bytes, 0, length); left.hasRemaining(); ) {
        at += to.write(left, at);
      }
    } catch (IOException e) {
      throw failed("write", e);
    }
  }

  /** Reads back what is already written of a stretch of blocks, over what {@code bytes} holds. */
  void overlay(FileChannel from, byte[] bytes, int length, long position)
      throws BackupException.Target {
    int first = (int) (position / BLOCK_BYTES);
    int end = first + length / BLOCK_BYTES;
    try {
      int begin = present.nextSetBit(first);
      while (begin >= 0 && begin < end) {
        int after = Math.min(present.nextClearBit(begin), end);
        int offset = (begin - first) * BLOCK_BYTES;
        read(from, ByteBuffer.wrap(bytes, offset, (after - begin) * BLOCK_BYTES), begin);
        begin = present.nextSetBit(after);
      }
    } catch (IOException e) {
      throw failed("read back", e);
    }
  }

  /** Makes it as long as it has to be; what was never written is zeros. */
  void extend(FileChannel channel) throws BackupException.Target {
    try {
      long bytes = (long) blocks * BLOCK_BYTES;
      if (channel.size() < bytes) {
        channel.write(ByteBuffer.wrap(new byte[1]), bytes - 1);
      }
    } catch (IOException e) {
      throw failed("extend", e);
    }
  }

  private static void read(FileChannel from, ByteBuffer into, int block) throws IOException {
    long at = (long) block * BLOCK_BYTES;
    while (into.hasRemaining()) {
      int n = from.read(into, at);
      if (n < 0) {
        throw new EOFException("it ends at %d, expected a block".formatted(at));
      }
      at += n;
    }
  }

  private BackupException.Target failed(String what, IOException e) {
    return new BackupException.Target(
        CoreFailure.TARGET_FAILED, "%s %s: %s".formatted(what, file, e), e);
  }
}
