package org.stellaops.backup.crypto.internal.age;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import javax.crypto.BadPaddingException;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * One segment of a payload at a time: STREAM over ChaCha20-Poly1305 (age-encryption.org/v1,
 * "Payload"). The nonce is the segment's index in 11 bytes, big endian, and a byte that is 1 for
 * the last segment.
 *
 * <p>Arrays passed in are exactly one segment long, because Conscrypt copies the whole array on
 * each call. One thread at a time. Under one object no (index, isLast) comes twice, because the JDK
 * refuses a key and nonce that it has just had, even for decryption.
 */
final class SegmentCipher {
  private static final int NONCE_BYTES = 12;

  private final Ciphers ciphers;
  private final PayloadKey key;
  private @Nullable Cipher cipher;

  SegmentCipher(Ciphers ciphers, PayloadKey key) {
    this.ciphers = ciphers;
    this.key = key;
  }

  /**
   * Seals one segment.
   *
   * @return how many bytes of {@code sealed} were written
   */
  int seal(long index, boolean isLast, byte[] plain, int plainBytes, byte[] sealed)
      throws IOException {
    try {
      return prepared(Cipher.ENCRYPT_MODE, index, isLast).doFinal(plain, 0, plainBytes, sealed, 0);
    } catch (GeneralSecurityException e) {
      throw refused(e);
    }
  }

  /**
   * Opens one segment.
   *
   * @return how many bytes of {@code plain} were written; -1 if the segment does not authenticate
   */
  int open(long index, boolean isLast, byte[] sealed, int sealedBytes, byte[] plain)
      throws IOException {
    try {
      return prepared(Cipher.DECRYPT_MODE, index, isLast).doFinal(sealed, 0, sealedBytes, plain, 0);
    } catch (BadPaddingException e) { // AEADBadTagException is one
      return -1;
    } catch (GeneralSecurityException e) {
      throw refused(e);
    }
  }

  private Cipher prepared(int mode, long index, boolean isLast)
      throws IOException, GeneralSecurityException {
    if (cipher == null) {
      cipher = ciphers.chaCha20Poly1305();
    }
    byte[] nonce =
        ByteBuffer.allocate(NONCE_BYTES)
            .putLong(3, index)
            .put(NONCE_BYTES - 1, (byte) (isLast ? 1 : 0))
            .array();
    cipher.init(mode, key, new IvParameterSpec(nonce));
    return cipher;
  }

  private static BackupException.Crypto refused(GeneralSecurityException cause) {
    return new BackupException.Crypto(
        CoreFailure.SEALING_FAILED, "the cipher refused a segment: " + cause.getMessage(), cause);
  }
}
