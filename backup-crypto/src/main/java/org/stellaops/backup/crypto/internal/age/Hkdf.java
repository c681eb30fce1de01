package org.stellaops.backup.crypto.internal.age;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** HKDF-SHA256 (RFC 5869) for outputs of 32 bytes, which is all that age asks for. */
final class Hkdf {
  private static final int DIGEST_BYTES = 32;

  private Hkdf() {}

  /**
   * @param secret input key material
   * @param salt may be empty
   * @param info ASCII
   */
  static byte[] derive(byte[] secret, byte[] salt, String info) {
    // An empty key and one of zeros are the same to HMAC; the JDK refuses the empty one.
    byte[] pseudorandom = hmac(salt.length == 0 ? new byte[DIGEST_BYTES] : salt, secret);
    byte[] name = info.getBytes(US_ASCII);
    byte[] block = Arrays.copyOf(name, name.length + 1);
    block[name.length] = 1; // T(1) of RFC 5869, section 2.3; one block is 32 bytes
    try {
      return hmac(pseudorandom, block);
    } finally {
      Arrays.fill(pseudorandom, (byte) 0);
    }
  }

  static byte[] hmac(byte[] key, byte[] message) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(message);
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every Java platform must support HmacSHA256", e);
    }
  }
}
