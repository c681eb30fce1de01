package org.stellaops.backup.postgres.internal.restore;

import static org.stellaops.backup.postgres.internal.increment.IncrementalHeader.BLOCK_BYTES;

import java.io.IOException;
import java.nio.channels.FileChannel;
import org.stellaops.backup.postgres.internal.increment.IncrementalHeader;
import org.stellaops.backup.postgres.internal.manifest.FileContents;

/** Writes the blocks of an incremental file to their places; neighbours in one go. */
final class ChangedBlocks implements Piece {
  private final RelationFile relation;
  private final IncrementalHeader header;
  private final byte[] buffer;
  private final FileChannel channel;
  private int index;
  private int bytesOfBlock;
  private int filledBytes;

  /**
   * For one file.
   *
   * @param buffer of some blocks, used by nobody else until this is closed
   */
  ChangedBlocks(RelationFile relation, IncrementalHeader header, byte[] buffer) throws IOException {
    this.relation = relation;
    this.header = header;
    this.buffer = buffer;
    this.channel = relation.open();
  }

  @Override
  public void accept(byte[] bytes, int offset, int length) throws IOException {
    int taken = header.accept(bytes, offset, length);
    while (taken < length) {
      int n = Math.min(length - taken, BLOCK_BYTES - bytesOfBlock);
      boolean isWanted = relation.wants(header.block(index));
      if (isWanted) {
        System.arraycopy(bytes, offset + taken, buffer, filledBytes, n);
        filledBytes += n;
      }
      bytesOfBlock += n;
      taken += n;
      if (bytesOfBlock == BLOCK_BYTES) {
        endBlock(isWanted);
      }
    }
  }

  @Override
  public void end(FileContents contents) {
    relation.applied(header);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private void endBlock(boolean isWanted) throws IOException {
    int block = header.block(index);
    index++;
    bytesOfBlock = 0;
    boolean isFollowed =
        index < header.count()
            && header.block(index) == block + 1
            && relation.wants(block + 1)
            && filledBytes < buffer.length;
    if (isWanted && !isFollowed) {
      int first = block + 1 - filledBytes / BLOCK_BYTES;
      relation.write(channel, buffer, filledBytes, (long) first * BLOCK_BYTES);
      relation.present().set(first, block + 1);
      filledBytes = 0;
    }
  }
}
