package org.stellaops.backup.spi;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.stellaops.backup.model.Digest;

/**
 * What is put: length and digest are known, and it can be read again, so that a put can be retried.
 */
public interface ObjectBody {
  /** Exactly as many bytes as {@link #open} delivers. */
  long lengthBytes();

  /** Digest of these, the stored bytes. */
  Digest digest();

  /** The bytes, from the beginning. The caller closes. */
  InputStream open() throws IOException;

  /** Of bytes in memory, which the caller must not change any more. */
  static ObjectBody of(byte[] bytes) {
    return of(bytes, bytes.length, Digest.ofContent(bytes));
  }

  /** Of the first {@code length} bytes of an array in memory, whose digest is known. */
  static ObjectBody of(byte[] bytes, int length, Digest digest) {
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
        return new ByteArrayInputStream(bytes, 0, length);
      }
    };
  }
}
