package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.ObjectBody;

/** Bodies of zeros, as long as wanted and held nowhere. */
final class Zeros {
  private Zeros() {}

  static ObjectBody of(long length) throws IOException {
    Digest digest = digestOf(stream(length));
    return new ObjectBody() {
      @Override
      public long lengthBytes() {
        return length;
      }

      @Override
      public Digest digest() {
        return digest;
      }

      @Override
      public InputStream open() {
        return stream(length);
      }
    };
  }

  static Digest digestOf(InputStream in) throws IOException {
    MessageDigest digest = Digest.sha256();
    byte[] buffer = new byte[1 << 16];
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      digest.update(buffer, 0, n);
    }
    return Digest.of(digest.digest());
  }

  private static InputStream stream(long length) {
    return new InputStream() {
      private long left = length;

      @Override
      public int read() {
        left--;
        return left < 0 ? -1 : 0;
      }

      @Override
      public int read(byte[] bytes, int offset, int count) {
        if (left <= 0) {
          return -1;
        }
        int given = (int) Math.min(count, left);
        java.util.Arrays.fill(bytes, offset, offset + given, (byte) 0);
        left -= given;
        return given;
      }
    };
  }
}
