package org.stellaops.backup.testkit;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** A stream in which the lowest bit of one byte is the other one. Closes what it wraps. */
final class FlippedInputStream extends FilterInputStream {
  private final long flipAt;
  private long position;

  FlippedInputStream(InputStream in, long flipAt) {
    super(in);
    this.flipAt = flipAt;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int n = in.read(buffer, offset, length);
    if (flipAt >= position && flipAt < position + n) {
      buffer[offset + (int) (flipAt - position)] ^= 1;
    }
    position += Math.max(n, 0);
    return n;
  }

  @Override
  public long skip(long count) throws IOException {
    long skipped = in.skip(count);
    position += skipped;
    return skipped;
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
