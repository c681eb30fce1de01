package org.stellaops.backup.crypto.internal.age;

import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.util.Arrays;
import javax.crypto.SecretKey;
import org.stellaops.backup.spi.FileKey;

/**
 * The key of one payload. Not a {@link javax.crypto.spec.SecretKeySpec}, because Java 17 cannot
 * wipe one.
 */
public final class PayloadKey implements SecretKey {
  private static final long serialVersionUID = 1;

  /** Stored between the header and the first segment. */
  public static final int NONCE_BYTES = 16;

  private final transient byte[] bytes;
  private transient volatile boolean isDestroyed;

  /** Takes the array over. */
  PayloadKey(byte[] bytes) {
    this.bytes = bytes;
  }

  /** The key of the payload behind {@code nonce} (age-encryption.org/v1, "Payload"). */
  public static PayloadKey of(FileKey key, byte[] nonce) {
    return new PayloadKey(key.use(bytes -> Hkdf.derive(bytes, nonce, "payload")));
  }

  /** A key with a life of its own. */
  PayloadKey copy() {
    return new PayloadKey(bytes.clone());
  }

  @Override
  public String getAlgorithm() {
    return "ChaCha20";
  }

  @Override
  public String getFormat() {
    return "RAW";
  }

  @Override
  public byte[] getEncoded() {
    return bytes.clone();
  }

  @Override
  public void destroy() {
    isDestroyed = true;
    Arrays.fill(bytes, (byte) 0);
  }

  @Override
  public boolean isDestroyed() {
    return isDestroyed;
  }

  @Override
  public String toString() {
    return "PayloadKey";
  }

  private void writeObject(ObjectOutputStream out) throws NotSerializableException {
    throw new NotSerializableException("a key is not serialized");
  }
}
