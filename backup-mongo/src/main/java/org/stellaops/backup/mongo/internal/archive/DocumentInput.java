package org.stellaops.backup.mongo.internal.archive;

import java.io.IOException;
import java.io.InputStream;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * Reads a sequence of BSON documents and terminators, and looks at no more of a document than its
 * length and its final zero. Holds one document at a time, of at most {@link
 * ArchiveFormat#MAX_DOCUMENT_BYTES}. Does not close what it reads from.
 */
final class DocumentInput {
  static final int INITIAL_BYTES = 32 << 10;

  private final InputStream in;
  private final String what;
  private byte[] buffer = new byte[INITIAL_BYTES];
  private int start;
  private int limit;
  private long consumed;

  /**
   * @param what names the stream in messages
   */
  DocumentInput(InputStream in, String what) {
    this.in = in;
    this.what = what;
  }

  /** Bytes consumed so far. */
  long position() {
    return consumed;
  }

  /** Whether nothing follows; asked where an end is lawful. */
  boolean isAtEnd() throws IOException {
    return start == limit && !fill(1);
  }

  /** The next four bytes. */
  int readInt() throws IOException {
    require(Integer.BYTES);
    int value = peekInt();
    skip(Integer.BYTES);
    return value;
  }

  /**
   * Makes the next document current: {@link #buffer}, {@link #offset}, and the returned length,
   * until {@link #skip}. Returns 0 for a terminator, which is consumed.
   */
  int next() throws IOException {
    require(Integer.BYTES);
    int length = peekInt();
    if (length == ArchiveFormat.TERMINATOR) {
      skip(Integer.BYTES);
      return 0;
    }
    if (length < ArchiveFormat.MIN_DOCUMENT_BYTES || length > ArchiveFormat.MAX_DOCUMENT_BYTES) {
      throw malformed(
          "a document of %d bytes, allowed are %d to %d"
              .formatted(
                  length, ArchiveFormat.MIN_DOCUMENT_BYTES, ArchiveFormat.MAX_DOCUMENT_BYTES));
    }
    require(length);
    if (buffer[start + length - 1] != 0) {
      throw malformed("a document of %d bytes that does not end with a zero".formatted(length));
    }
    return length;
  }

  byte[] buffer() {
    return buffer;
  }

  int offset() {
    return start;
  }

  void skip(int bytes) {
    start += bytes;
    consumed += bytes;
  }

  BackupException.Corrupt malformed(String found) {
    return new BackupException.Corrupt(
        CoreFailure.MALFORMED, "%s at byte %d: %s".formatted(what, consumed, found));
  }

  private int peekInt() {
    return (buffer[start] & 0xff)
        | (buffer[start + 1] & 0xff) << 8
        | (buffer[start + 2] & 0xff) << 16
        | (buffer[start + 3] & 0xff) << 24;
  }

  private void require(int bytes) throws IOException {
    if (limit - start < bytes && !fill(bytes)) {
      throw new BackupException.Corrupt(
          CoreFailure.TRUNCATED,
          "%s ends at byte %d, %d bytes short of what was begun"
              .formatted(what, consumed + limit - start, bytes - (limit - start)));
    }
  }

  private boolean fill(int bytes) throws IOException {
    makeRoom(bytes);
    while (limit - start < bytes) {
      int read = in.read(buffer, limit, buffer.length - limit);
      if (read < 0) {
        return false;
      }
      limit += read;
    }
    return true;
  }

  private void makeRoom(int bytes) {
    if (buffer.length - start >= bytes) {
      return;
    }
    byte[] roomy = bytes <= buffer.length ? buffer : new byte[roundUp(bytes)];
    System.arraycopy(buffer, start, roomy, 0, limit - start);
    limit -= start;
    start = 0;
    buffer = roomy;
  }

  /** Doubles, so that growing documents do not each cost a new buffer. */
  private static int roundUp(int bytes) {
    return Math.min(Integer.highestOneBit(bytes) << 1, ArchiveFormat.MAX_DOCUMENT_BYTES);
  }
}
