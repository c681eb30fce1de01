package org.stellaops.backup.mongo.internal.archive;

import java.security.DigestException;
import java.security.MessageDigest;
import org.stellaops.backup.model.Digest;

/**
 * Digest of a set of documents that does not depend on their order: the sum, modulo 2^256, of the
 * SHA-256 of each document's bytes, both read as big-endian numbers. Of no documents it is zero.
 *
 * <p>A collection has no order that survives a restore, and the server's own {@code dbHash} is an
 * MD5 which depends on one. A sum, unlike an exclusive or, also sees a document that is there
 * twice.
 */
public final class ContentDigest {
  private static final int BYTES = 32;

  private final MessageDigest sha256 = Digest.sha256();
  private final byte[] hash = new byte[BYTES];
  private final byte[] sum = new byte[BYTES];

  /** Adds one document. */
  public void add(byte[] bytes, int offset, int length) {
    sha256.update(bytes, offset, length);
    try {
      sha256.digest(hash, 0, BYTES);
    } catch (DigestException e) {
      throw new AssertionError("SHA-256 has 32 bytes", e);
    }
    addNumber(hash);
  }

  /** Adds all documents of another. */
  void add(ContentDigest other) {
    addNumber(other.sum);
  }

  private void addNumber(byte[] number) {
    int carry = 0;
    for (int i = BYTES - 1; i >= 0; i--) {
      int digit = (sum[i] & 0xff) + (number[i] & 0xff) + carry;
      sum[i] = (byte) digit;
      carry = digit >>> 8;
    }
  }

  /** Of everything so far. */
  public Digest value() {
    return Digest.of(sum);
  }
}
