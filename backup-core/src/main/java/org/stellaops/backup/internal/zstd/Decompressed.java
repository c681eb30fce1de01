package org.stellaops.backup.internal.zstd;

import com.github.luben.zstd.ZstdIOException;
import com.github.luben.zstd.ZstdInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/** Plain bytes of zstd frames. What is no such frame is damage, not a failure of the store. */
public final class Decompressed extends FilterInputStream {
  /** Largest window of the format: 8 MiB. */
  private static final int MAX_WINDOW_LOG = 23;

  private final String what;

  private Decompressed(InputStream in, String what) {
    super(in);
    this.what = what;
  }

  /**
   * Decompresses a stream.
   *
   * @param frames closed with the returned stream, or at once if this fails
   * @param what is read, for messages
   */
  public static InputStream of(InputStream frames, String what) throws IOException {
    boolean isOpen = false;
    try {
      ZstdInputStream plain = new ZstdInputStream(frames);
      plain.setLongMax(MAX_WINDOW_LOG);
      isOpen = true;
      return new Decompressed(plain, what);
    } finally {
      if (!isOpen) {
        frames.close();
      }
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    try {
      return in.read(into, offset, length);
    } catch (ZstdIOException e) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED, what + ": " + String.valueOf(e.getMessage()), e);
    }
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
