package org.stellaops.backup.crypto.internal.age;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.KeyAgreement;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/** Key agreement on Curve25519 (RFC 7748) over raw 32-byte keys, by the JDK. */
public final class X25519 {
  static final int KEY_BYTES = 32;

  /** RFC 8410: what stands before the 32 bytes in PKCS #8 and in X.509. Every provider reads it. */
  private static final byte[] PRIVATE_PREFIX =
      HexFormat.of().parseHex("302e020100300506032b656e04220420");

  private static final byte[] PUBLIC_PREFIX = HexFormat.of().parseHex("302a300506032b656e032100");

  /** RFC 7748, section 4.1: u = 9, little endian. */
  private static final byte[] BASE_POINT = basePoint();

  private X25519() {}

  /** The public half of a private key: the agreement with the base point. */
  public static byte[] publicOf(byte[] secret) throws IOException {
    try {
      return agree(secret, BASE_POINT);
    } catch (LowOrderException e) {
      throw new AssertionError("the base point has a large order", e);
    }
  }

  /**
   * @throws LowOrderException if everyone would agree on the same secret with {@code point}
   */
  static byte[] agree(byte[] secret, byte[] point) throws IOException, LowOrderException {
    try {
      KeyAgreement agreement = KeyAgreement.getInstance("X25519");
      agreement.init(privateKey(secret));
      byte[] shared = agree(agreement, publicKey(point));
      if (Arrays.equals(shared, new byte[KEY_BYTES])) {
        throw new LowOrderException();
      }
      return shared;
    } catch (GeneralSecurityException e) {
      throw new BackupException.Crypto(CoreFailure.SEALING_FAILED, "X25519 was refused", e);
    }
  }

  /** Whether {@code point} can be encrypted to. */
  public static boolean isOfLowOrder(byte[] point) throws IOException {
    byte[] anySecret = new byte[KEY_BYTES]; // clamping makes a multiple of the cofactor of it
    try {
      agree(anySecret, point);
      return false;
    } catch (LowOrderException e) {
      return true;
    }
  }

  private static byte[] agree(KeyAgreement agreement, PublicKey point)
      throws GeneralSecurityException, LowOrderException {
    try {
      agreement.doPhase(point, true);
    } catch (InvalidKeyException e) {
      throw new LowOrderException(); // all that the JDK checks here
    }
    return agreement.generateSecret();
  }

  private static PrivateKey privateKey(byte[] secret) throws GeneralSecurityException {
    byte[] encoded = joined(PRIVATE_PREFIX, secret);
    try {
      return KeyFactory.getInstance("X25519").generatePrivate(new PKCS8EncodedKeySpec(encoded));
    } finally {
      Arrays.fill(encoded, (byte) 0);
    }
  }

  private static PublicKey publicKey(byte[] point) throws GeneralSecurityException {
    return KeyFactory.getInstance("X25519")
        .generatePublic(new X509EncodedKeySpec(joined(PUBLIC_PREFIX, point)));
  }

  private static byte[] joined(byte[] prefix, byte[] key) {
    if (key.length != KEY_BYTES) {
      throw new IllegalArgumentException("a key has 32 bytes: " + key.length);
    }
    byte[] encoded = Arrays.copyOf(prefix, prefix.length + key.length);
    System.arraycopy(key, 0, encoded, prefix.length, key.length);
    return encoded;
  }

  private static byte[] basePoint() {
    byte[] point = new byte[KEY_BYTES];
    point[0] = 9;
    return point;
  }

  /** A point with which every key agrees on zeros (RFC 7748, section 6.1). */
  static final class LowOrderException extends Exception {
    private static final long serialVersionUID = 1;

    LowOrderException() {
      super("X25519 point of low order");
    }
  }
}
