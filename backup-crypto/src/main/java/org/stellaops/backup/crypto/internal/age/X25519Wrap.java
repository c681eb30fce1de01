package org.stellaops.backup.crypto.internal.age;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Corrupt;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Stanza;

/** A file key wrapped for an X25519 key (age-encryption.org/v1, "The X25519 recipient type"). */
public final class X25519Wrap {
  static final String TYPE = "X25519";
  private static final String WHERE = "X25519 stanza of an age header";
  private static final String INFO = "age-encryption.org/v1/X25519";

  private X25519Wrap() {}

  /** For whoever holds the private half of {@code recipient}. */
  public static Stanza seal(FileKey key, byte[] recipient, SecureRandom random) throws IOException {
    byte[] ephemeral = new byte[X25519.KEY_BYTES];
    random.nextBytes(ephemeral);
    try {
      byte[] share = X25519.publicOf(ephemeral);
      byte[] wrapKey = wrapKey(ephemeral, recipient, share, recipient);
      return new Stanza(
          TYPE,
          List.of(CanonicalBase64.encode(share)),
          CanonicalBase64.encode(KeyWrap.seal(key, wrapKey)));
    } catch (X25519.LowOrderException e) {
      throw new BackupException.Crypto(
          CoreFailure.BAD_KEY, "the recipient is a point of low order; nobody holds its key");
    } finally {
      Arrays.fill(ephemeral, (byte) 0);
    }
  }

  /**
   * The file key of a stanza.
   *
   * @param stanza of any type
   * @param secret the private key, {@code recipient} its public half
   * @return empty if the stanza is not for this key
   * @throws Corrupt MALFORMED
   */
  public static Optional<FileKey> open(Stanza stanza, byte[] secret, byte[] recipient)
      throws IOException {
    if (!stanza.type().equals(TYPE)) {
      return Optional.empty();
    }
    if (stanza.arguments().size() != 1) {
      throw malformed("has %d arguments instead of 1".formatted(stanza.arguments().size()));
    }
    byte[] share = CanonicalBase64.decode(stanza.arguments().get(0), X25519.KEY_BYTES, WHERE);
    byte[] body = CanonicalBase64.decode(stanza.body(), KeyWrap.SEALED_BYTES, WHERE);
    try {
      return KeyWrap.open(body, wrapKey(secret, share, share, recipient));
    } catch (X25519.LowOrderException e) {
      throw malformed("holds a point of low order");
    }
  }

  private static byte[] wrapKey(byte[] secret, byte[] point, byte[] share, byte[] recipient)
      throws IOException, X25519.LowOrderException {
    byte[] salt = Arrays.copyOf(share, share.length + recipient.length);
    System.arraycopy(recipient, 0, salt, share.length, recipient.length);
    byte[] shared = X25519.agree(secret, point);
    try {
      return Hkdf.derive(shared, salt, INFO);
    } finally {
      Arrays.fill(shared, (byte) 0);
    }
  }

  private static Corrupt malformed(String how) {
    return new Corrupt(CoreFailure.MALFORMED, WHERE + " " + how);
  }
}
