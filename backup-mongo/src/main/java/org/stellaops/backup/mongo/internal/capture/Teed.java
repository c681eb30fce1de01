package org.stellaops.backup.mongo.internal.capture;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** Whatever is read of it is written elsewhere, too. Closing it closes what is read. */
final class Teed extends FilterInputStream {
  private final OutputStream copy;

  Teed(InputStream in, OutputStream copy) {
    super(in);
    this.copy = copy;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    int n = in.read(into, offset, length);
    if (n > 0) {
      copy.write(into, offset, n);
    }
    return n;
  }

  @Override
  public long skip(long bytes) throws IOException {
    throw new IOException("what is skipped would not be copied");
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
