package org.stellaops.backup.postgres.internal.restore;

import static org.stellaops.backup.postgres.internal.increment.IncrementalHeader.BLOCK_BYTES;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.stellaops.backup.postgres.internal.manifest.FileContents;

/**
 * The last piece of a relation's file: the newest capture that holds all of it. While it passes,
 * the gaps that increments left are filled, and what comes out is summed, so that nothing is read a
 * second time but the changed blocks.
 */
final class WholeFile implements Piece {
  private final RelationFile relation;
  private final byte[] buffer;
  private final Consumer<FileContents> result;
  private final FileChannel channel;
  private final EarlySync syncing;
  private final CRC32C crc = new CRC32C();
  private final long wholeBytes;
  private final boolean isAsIs;
  private long position;
  private int filledBytes;

  /**
   * For one file.
   *
   * @param bytes of the capture's version
   * @param buffer of some blocks, used by nobody else until this is closed
   * @param executor brings to the disk
   * @param result takes what the file is in the end
   */
  WholeFile(
      RelationFile relation,
      long bytes,
      byte[] buffer,
      Executor executor,
      Consumer<FileContents> result)
      throws IOException {
    this.relation = relation;
    this.buffer = buffer;
    this.result = result;
    this.wholeBytes = (long) relation.blocks() * BLOCK_BYTES;
    this.isAsIs = relation.isAsIn(bytes);
    this.channel = relation.open();
    this.syncing = new EarlySync(channel, executor);
  }

  @Override
  public void accept(byte[] bytes, int offset, int length) throws IOException {
    for (int taken = 0; taken < length; ) {
      int n = Math.min(length - taken, buffer.length - filledBytes);
      System.arraycopy(bytes, offset + taken, buffer, filledBytes, n);
      filledBytes += n;
      taken += n;
      if (filledBytes == buffer.length) {
        merge();
      }
    }
  }

  @Override
  public void end(FileContents contents) throws IOException {
    // A block that was being added when the file was read is not there yet.
    filledBytes -= filledBytes % BLOCK_BYTES;
    merge();
    mergeRest();
    relation.extend(channel);
    result.accept(isAsIs ? contents : FileContents.of(wholeBytes, crc));
  }

  @Override
  public void close() throws IOException {
    try {
      syncing.close();
    } finally {
      channel.close();
    }
  }

  /** Writes what the buffer holds, with what is newer laid over it. */
  private void merge() throws IOException {
    int length = (int) Math.min(filledBytes, Math.max(0, wholeBytes - position));
    long firstCutOff = (long) relation.limit() * BLOCK_BYTES;
    if (position + length > firstCutOff) {
      Arrays.fill(buffer, (int) Math.max(0, firstCutOff - position), length, (byte) 0);
    }
    if (length > 0) {
      relation.overlay(channel, buffer, length, position);
      relation.write(channel, buffer, length, position);
      syncing.written(length);
      sum(length);
    }
    position += filledBytes;
    filledBytes = 0;
  }

  /** Sums what lies behind the end of the capture's version: it is written, or zeros. */
  private void mergeRest() throws IOException {
    while (position < wholeBytes) {
      int length = (int) Math.min(buffer.length, wholeBytes - position);
      Arrays.fill(buffer, 0, length, (byte) 0);
      relation.overlay(channel, buffer, length, position);
      sum(length);
      position += length;
    }
  }

  private void sum(int length) {
    if (!isAsIs) {
      crc.update(buffer, 0, length);
    }
  }
}
