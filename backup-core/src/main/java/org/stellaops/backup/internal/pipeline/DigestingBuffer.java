package org.stellaops.backup.internal.pipeline;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.util.Arrays;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.ObjectBody;

/** Collects stored bytes in memory with their digest. Its array is kept when it is cleared. */
public final class DigestingBuffer extends OutputStream {
  private byte[] bytes;
  private int length;
  private final MessageDigest digest = Digest.sha256();

  /**
   * @param expectedBytes how large it will probably get
   */
  public DigestingBuffer(int expectedBytes) {
    this.bytes = new byte[expectedBytes];
  }

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] from, int offset, int count) {
    if (bytes.length - length < count) {
      bytes = Arrays.copyOf(bytes, Math.max(length + count, bytes.length + (bytes.length >> 1)));
    }
    System.arraycopy(from, offset, bytes, length, count);
    digest.update(from, offset, count);
    length += count;
  }

  void clear() {
    length = 0;
    digest.reset();
  }

  /** How many bytes so far. */
  public int length() {
    return length;
  }

  /** What was collected; ends the digest, so call once. Valid until the buffer is cleared. */
  public ObjectBody body() {
    return ObjectBody.of(bytes, length, Digest.of(digest.digest()));
  }

  /** Reads a small stream whole, refusing more than {@code maxBytes}. */
  public static byte[] readBounded(InputStream in, int maxBytes, String what) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    byte[] buffer = new byte[8192];
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      if (out.size() + n > maxBytes) {
        throw new BackupException.Corrupt(
            CoreFailure.MALFORMED,
            "%s is larger than the %d bytes it may have".formatted(what, maxBytes));
      }
      out.write(buffer, 0, n);
    }
    return out.toByteArray();
  }
}
