package org.stellaops.backup.mongo.internal.archive;

import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * Undoes gzip (RFC 1952), one member or several, and takes nothing else: what follows the last
 * member, a member cut short, and a wrong checksum are errors.
 *
 * <p>{@code java.util.zip.GZIPInputStream} was rejected. It takes a stream whose {@code
 * available()} is 0 as ended, so a second member is lost where ours would be read from a decryptor;
 * and it swallows whatever goes wrong where a next member might begin, the failed verification of
 * the bytes below it included.
 */
final class GunzipStream extends InputStream {
  private static final int ID1 = 0x1f;
  private static final int ID2 = 0x8b;
  private static final int DEFLATE = 8;
  private static final int HEADER_CRC = 1 << 1;
  private static final int EXTRA = 1 << 2;
  private static final int NAME = 1 << 3;
  private static final int COMMENT = 1 << 4;
  private static final int RESERVED = 0xe0;

  private final InputStream in;
  private final Inflater inflater = new Inflater(true);
  private final CRC32 crc32 = new CRC32();
  private final byte[] buffer = new byte[16 << 10];
  private int position;
  private int limit;
  private boolean isInMember;
  private boolean isAtEnd;

  /** Closes {@code in} when it is closed. */
  GunzipStream(InputStream in) throws IOException {
    this.in = in;
    beginMember(require());
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (!isAtEnd) {
      int inflated = isInMember ? inflate(bytes, offset, length) : 0;
      if (inflated > 0) {
        crc32.update(bytes, offset, inflated);
        return inflated;
      }
      if (!isInMember) {
        beginNextMember();
      }
    }
    return -1;
  }

  /** 0 when the member has ended or more input was taken in. */
  private int inflate(byte[] bytes, int offset, int length) throws IOException {
    try {
      int inflated = inflater.inflate(bytes, offset, length);
      if (inflated == 0 && inflater.finished()) {
        endMember();
      } else if (inflated == 0 && inflater.needsDictionary()) {
        throw malformed("a preset dictionary");
      } else if (inflated == 0) {
        fillOrFail();
        inflater.setInput(buffer, position, limit - position);
        position = limit;
      }
      return inflated;
    } catch (DataFormatException e) {
      throw new BackupException.Corrupt(CoreFailure.MALFORMED, "gzip: deflated data is damaged", e);
    }
  }

  private void beginNextMember() throws IOException {
    int first = next();
    if (first < 0) {
      isAtEnd = true;
    } else {
      beginMember(first);
    }
  }

  private void beginMember(int first) throws IOException {
    if (first != ID1 || require() != ID2 || require() != DEFLATE) {
      throw malformed("something that is not a member");
    }
    int flags = require();
    skip(6); // modification time, extra flags, operating system
    if ((flags & RESERVED) != 0) {
      throw malformed("reserved flags");
    }
    if ((flags & EXTRA) != 0) {
      skip(require() | require() << 8);
    }
    if ((flags & NAME) != 0) {
      skipText();
    }
    if ((flags & COMMENT) != 0) {
      skipText();
    }
    if ((flags & HEADER_CRC) != 0) {
      skip(2);
    }
    inflater.reset();
    inflater.setInput(buffer, position, limit - position);
    position = limit;
    crc32.reset();
    isInMember = true;
  }

  private void endMember() throws IOException {
    position = limit - inflater.getRemaining();
    long expectedCrc = littleEndian();
    long expectedLength = littleEndian();
    if (crc32.getValue() != expectedCrc
        || (inflater.getBytesWritten() & 0xffffffffL) != expectedLength) {
      throw new BackupException.Corrupt(
          CoreFailure.CORRUPT_OBJECT,
          "gzip: content has CRC-32 %08x, the member says %08x"
              .formatted(crc32.getValue(), expectedCrc));
    }
    isInMember = false;
  }

  private long littleEndian() throws IOException {
    return require() | require() << 8 | require() << 16 | (long) require() << 24;
  }

  private void skip(int bytes) throws IOException {
    for (int i = 0; i < bytes; i++) {
      require();
    }
  }

  private void skipText() throws IOException {
    while (require() != 0) {
      // to the zero that ends it
    }
  }

  private int require() throws IOException {
    int next = next();
    if (next < 0) {
      throw truncated();
    }
    return next;
  }

  private int next() throws IOException {
    return position < limit || fill() ? buffer[position++] & 0xff : -1;
  }

  private void fillOrFail() throws IOException {
    if (!fill()) {
      throw truncated();
    }
  }

  private boolean fill() throws IOException {
    position = 0;
    limit = Math.max(0, in.read(buffer, 0, buffer.length));
    return limit > 0;
  }

  private static BackupException.Corrupt truncated() {
    return new BackupException.Corrupt(CoreFailure.TRUNCATED, "gzip: ends within a member");
  }

  private static BackupException.Corrupt malformed(String found) {
    return new BackupException.Corrupt(CoreFailure.MALFORMED, "gzip: found " + found);
  }

  @Override
  public void close() throws IOException {
    inflater.end();
    in.close();
  }
}
