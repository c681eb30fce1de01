package org.stellaops.backup.crypto.internal.age;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Optional;
import javax.crypto.BadPaddingException;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.FileKey;

/**
 * A file key sealed under a wrap key: ChaCha20-Poly1305 with a nonce of zeros, which is safe as a
 * wrap key is used once (age-encryption.org/v1, "The X25519 recipient type" and "scrypt").
 */
final class KeyWrap {
  /** Of a file key. */
  static final int FILE_KEY_BYTES = 16;

  static final int SEALED_BYTES = FILE_KEY_BYTES + Segments.TAG_BYTES;
  private static final IvParameterSpec ZERO_NONCE = new IvParameterSpec(new byte[12]);

  private KeyWrap() {}

  /**
   * The sealed file key.
   *
   * @param wrapKey wiped
   */
  static byte[] seal(FileKey key, byte[] wrapKey) throws IOException {
    byte[] plain = key.use(byte[]::clone);
    try {
      return run(Cipher.ENCRYPT_MODE, plain, wrapKey);
    } catch (BadPaddingException e) {
      throw new AssertionError("encryption checks no tag", e);
    } finally {
      Arrays.fill(plain, (byte) 0);
    }
  }

  /**
   * The file key.
   *
   * @param sealed {@link #SEALED_BYTES} long; the caller checks (age-encryption.org/v1 demands it
   *     before decryption)
   * @param wrapKey wiped
   * @return empty if it was sealed under another key
   */
  static Optional<FileKey> open(byte[] sealed, byte[] wrapKey) throws IOException {
    byte[] plain;
    try {
      plain = run(Cipher.DECRYPT_MODE, sealed, wrapKey);
    } catch (BadPaddingException e) {
      return Optional.empty();
    }
    try {
      return Optional.of(FileKey.of(plain));
    } finally {
      Arrays.fill(plain, (byte) 0);
    }
  }

  private static byte[] run(int mode, byte[] input, byte[] wrapKey)
      throws IOException, BadPaddingException {
    var key = new PayloadKey(wrapKey);
    try {
      Cipher cipher = Ciphers.jdk().chaCha20Poly1305();
      cipher.init(mode, key, ZERO_NONCE);
      return cipher.doFinal(input);
    } catch (BadPaddingException e) {
      throw e;
    } catch (GeneralSecurityException e) {
      throw new BackupException.Crypto(
          CoreFailure.SEALING_FAILED, "the cipher refused a file key", e);
    } finally {
      key.destroy();
    }
  }
}
