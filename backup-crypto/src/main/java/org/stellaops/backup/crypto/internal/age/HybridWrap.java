package org.stellaops.backup.crypto.internal.age;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.crypto.BadPaddingException;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Corrupt;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Stanza;

/**
 * A file key wrapped for a hybrid key (C2SP age, "The mlkem768x25519 recipient type"): HPKE (RFC
 * 9180) in base mode with MLKEM768-X25519, HKDF-SHA256 and ChaCha20-Poly1305.
 */
public final class HybridWrap {
  static final String TYPE = "mlkem768x25519";
  private static final String WHERE = "mlkem768x25519 stanza of an age header";
  private static final byte[] INFO = "age-encryption.org/mlkem768x25519".getBytes(US_ASCII);

  /** RFC 9180, section 5.1: KEM 0x647a, KDF 1, AEAD 3. */
  private static final byte[] SUITE = {'H', 'P', 'K', 'E', 0x64, 0x7a, 0, 1, 0, 3};

  private static final byte[] VERSION = "HPKE-v1".getBytes(US_ASCII);
  private static final byte[] NOTHING = new byte[0];
  private static final int KEY_BYTES = 32;
  private static final int NONCE_BYTES = 12;

  private HybridWrap() {}

  /**
   * For whoever holds the private half of {@code recipient}.
   *
   * @throws BackupException.Crypto BAD_KEY if that is no public key
   */
  public static Stanza seal(FileKey key, byte[] recipient, SecureRandom random) throws IOException {
    byte[] plain = key.use(byte[]::clone);
    try {
      Hybrid.Encapsulated fresh = Hybrid.encapsulate(recipient, random);
      return new Stanza(
          TYPE,
          List.of(CanonicalBase64.encode(fresh.ciphertext())),
          CanonicalBase64.encode(run(Cipher.ENCRYPT_MODE, plain, fresh.secret())));
    } catch (X25519.LowOrderException | IllegalArgumentException e) {
      throw new BackupException.Crypto(
          CoreFailure.BAD_KEY, "the post-quantum recipient is no public key", e);
    } catch (BadPaddingException e) {
      throw new AssertionError("encryption checks no tag", e);
    } finally {
      Arrays.fill(plain, (byte) 0);
    }
  }

  /**
   * The file key of a stanza.
   *
   * @param stanza of any type
   * @return empty if the stanza is not for this seed
   * @throws Corrupt MALFORMED
   */
  public static Optional<FileKey> open(Stanza stanza, byte[] seed) throws IOException {
    if (!stanza.type().equals(TYPE)) {
      return Optional.empty();
    }
    if (stanza.arguments().size() != 1) {
      throw malformed("has %d arguments instead of 1".formatted(stanza.arguments().size()));
    }
    byte[] ciphertext =
        CanonicalBase64.decode(stanza.arguments().get(0), Hybrid.CIPHERTEXT_BYTES, WHERE);
    byte[] body = CanonicalBase64.decode(stanza.body(), KeyWrap.SEALED_BYTES, WHERE);
    byte[] plain;
    try {
      plain = run(Cipher.DECRYPT_MODE, body, Hybrid.decapsulate(ciphertext, seed));
    } catch (X25519.LowOrderException e) {
      throw malformed("holds a point of low order");
    } catch (BadPaddingException e) {
      return Optional.empty();
    }
    try {
      return Optional.of(FileKey.of(plain));
    } finally {
      Arrays.fill(plain, (byte) 0);
    }
  }

  /**
   * RFC 9180, sections 5.1 and 5.2, for the first and only message.
   *
   * @param secret of the encapsulation; wiped
   */
  private static byte[] run(int mode, byte[] input, byte[] secret)
      throws IOException, BadPaddingException {
    byte[] context =
        joined(
            new byte[] {0},
            extract(NOTHING, "psk_id_hash", NOTHING),
            extract(NOTHING, "info_hash", INFO));
    byte[] schedule = extract(secret, "secret", NOTHING);
    var key = new PayloadKey(expand(schedule, "key", context, KEY_BYTES));
    byte[] nonce = expand(schedule, "base_nonce", context, NONCE_BYTES);
    try {
      Cipher cipher = Ciphers.jdk().chaCha20Poly1305();
      cipher.init(mode, key, new IvParameterSpec(nonce));
      return cipher.doFinal(input);
    } catch (BadPaddingException e) {
      throw e;
    } catch (GeneralSecurityException e) {
      throw new BackupException.Crypto(
          CoreFailure.SEALING_FAILED, "the cipher refused a file key", e);
    } finally {
      key.destroy();
      Arrays.fill(schedule, (byte) 0);
      Arrays.fill(secret, (byte) 0);
    }
  }

  /** RFC 9180, section 4, LabeledExtract. */
  private static byte[] extract(byte[] salt, String label, byte[] material) {
    return Hkdf.hmac(
        salt.length == 0 ? new byte[32] : salt,
        joined(VERSION, SUITE, label.getBytes(US_ASCII), material));
  }

  /** RFC 9180, section 4, LabeledExpand, for at most one block of the hash. */
  private static byte[] expand(byte[] key, String label, byte[] info, int length) {
    byte[] size = {0, (byte) length};
    byte[] one = {1};
    byte[] block =
        Hkdf.hmac(key, joined(size, VERSION, SUITE, label.getBytes(US_ASCII), info, one));
    return Arrays.copyOf(block, length);
  }

  private static byte[] joined(byte[]... parts) {
    var all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private static Corrupt malformed(String how) {
    return new Corrupt(CoreFailure.MALFORMED, WHERE + " " + how);
  }
}
