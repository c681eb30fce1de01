package org.stellaops.backup.internal.repository;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/** Refuses to deliver more than was allowed. */
public final class BoundedInput extends FilterInputStream {
  private final long maxBytes;
  private final String what;
  private final boolean isRefusing;
  private long bytes;

  /**
   * @param in closed with this
   */
  public BoundedInput(InputStream in, long maxBytes, String what) {
    this(in, maxBytes, what, true);
  }

  private BoundedInput(InputStream in, long maxBytes, String what, boolean isRefusing) {
    super(in);
    this.maxBytes = maxBytes;
    this.what = what;
    this.isRefusing = isRefusing;
  }

  /** Ends after so many bytes instead of refusing more. */
  public static InputStream upTo(InputStream in, long bytes) {
    return new BoundedInput(in, bytes, "", false);
  }

  /** Refuses a declared length that is too large. */
  public static void requireAtMost(long declaredBytes, long maxBytes, String what)
      throws BackupException {
    if (declaredBytes > maxBytes) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "%s declares %d bytes, allowed %d".formatted(what, declaredBytes, maxBytes));
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (!isRefusing && bytes == maxBytes) {
      return -1;
    }
    int n = in.read(into, offset, isRefusing ? length : (int) Math.min(length, maxBytes - bytes));
    bytes += Math.max(0, n);
    requireAtMost(bytes, maxBytes, what);
    return n;
  }

  @Override
  public long skip(long count) throws IOException {
    return Math.max(0, read(new byte[(int) Math.min(8192, Math.max(0, count))]));
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
