package org.stellaops.backup.crypto.internal.age;

import java.util.Base64;
import org.stellaops.backup.model.BackupException.Corrupt;
import org.stellaops.backup.model.CoreFailure;

/**
 * Base64 without padding, in the one spelling that the format allows (age-encryption.org/v1,
 * "Conventions used in this document"). The JDK's decoder passes over padding and over bits that
 * carry nothing; two headers of one meaning would be two files of one signature.
 */
final class CanonicalBase64 {
  private CanonicalBase64() {}

  static String encode(byte[] bytes) {
    return Base64.getEncoder().withoutPadding().encodeToString(bytes);
  }

  /**
   * @throws IllegalArgumentException if it is not what {@link #encode} gives
   */
  static byte[] decode(String text) {
    byte[] bytes = Base64.getDecoder().decode(text);
    if (!encode(bytes).equals(text)) {
      throw new IllegalArgumentException("base64 is not canonical");
    }
    return bytes;
  }

  /**
   * @param where begins the message: {@code X25519 stanza of an age header}
   * @throws Corrupt MALFORMED
   */
  static byte[] decode(String text, int expectedBytes, String where) throws Corrupt {
    byte[] bytes;
    try {
      bytes = decode(text);
    } catch (IllegalArgumentException e) {
      throw new Corrupt(CoreFailure.MALFORMED, where + " is not canonical base64", e);
    }
    if (bytes.length != expectedBytes) {
      throw new Corrupt(
          CoreFailure.MALFORMED,
          "%s holds %d bytes instead of %d".formatted(where, bytes.length, expectedBytes));
    }
    return bytes;
  }
}
