package org.stellaops.backup.crypto.internal.age;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.bouncycastle.crypto.generators.SCrypt;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Corrupt;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Stanza;

/** A file key wrapped under a passphrase (age-encryption.org/v1, "The scrypt recipient type"). */
public final class ScryptWrap {
  static final String TYPE = "scrypt";

  /** N = 2^18: about a second, and 256 MiB. What the age binary writes. */
  public static final int WORK_FACTOR = 18;

  /** N = 2^22: what the age binary reads at most. A file must not choose how long we compute. */
  public static final int MAX_WORK_FACTOR = 22;

  private static final String WHERE = "passphrase stanza of an age header";
  private static final String LABEL = "age-encryption.org/v1/scrypt";
  private static final byte[] FINGERPRINT_LABEL = "stella-backup recipient 1".getBytes(US_ASCII);
  private static final int SALT_BYTES = 16;
  private static final int BLOCK_SIZE = 8; // r
  private static final int PARALLEL = 1; // p
  private static final int WRAP_KEY_BYTES = 32;
  private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,3}");

  private ScryptWrap() {}

  /**
   * For whoever knows the passphrase.
   *
   * @param passphrase UTF-8
   * @param workFactor logarithm of N
   */
  public static Stanza seal(FileKey key, byte[] passphrase, int workFactor, SecureRandom random)
      throws IOException {
    byte[] salt = new byte[SALT_BYTES];
    random.nextBytes(salt);
    byte[] wrapKey = wrapKey(passphrase, salt, workFactor);
    return new Stanza(
        TYPE,
        List.of(CanonicalBase64.encode(salt), Integer.toString(workFactor)),
        CanonicalBase64.encode(KeyWrap.seal(key, wrapKey)));
  }

  /**
   * Tells a passphrase from others, to whoever has the key; without it, it says nothing.
   *
   * @param passphrase UTF-8
   */
  public static String fingerprint(byte[] key, byte[] passphrase) {
    byte[] message = Arrays.copyOf(FINGERPRINT_LABEL, FINGERPRINT_LABEL.length + passphrase.length);
    System.arraycopy(passphrase, 0, message, FINGERPRINT_LABEL.length, passphrase.length);
    try {
      return HexFormat.of().formatHex(Hkdf.hmac(key, message));
    } finally {
      Arrays.fill(message, (byte) 0);
    }
  }

  /**
   * The file key of a stanza.
   *
   * @param stanza of any type
   * @return empty if it is not of this type
   * @throws BackupException.Crypto WRONG_PASSPHRASE
   * @throws Corrupt MALFORMED
   */
  public static Optional<FileKey> open(Stanza stanza, byte[] passphrase) throws IOException {
    if (!stanza.type().equals(TYPE)) {
      return Optional.empty();
    }
    if (stanza.arguments().size() != 2) {
      throw malformed("has %d arguments instead of 2".formatted(stanza.arguments().size()));
    }
    byte[] salt = CanonicalBase64.decode(stanza.arguments().get(0), SALT_BYTES, WHERE);
    int workFactor = workFactor(stanza.arguments().get(1));
    byte[] body = CanonicalBase64.decode(stanza.body(), KeyWrap.SEALED_BYTES, WHERE);
    Optional<FileKey> key = KeyWrap.open(body, wrapKey(passphrase, salt, workFactor));
    if (key.isEmpty()) {
      throw new BackupException.Crypto(
          CoreFailure.WRONG_PASSPHRASE,
          "the passphrase does not open the age file, or its header is damaged");
    }
    return key;
  }

  private static byte[] wrapKey(byte[] passphrase, byte[] salt, int workFactor)
      throws BackupException.Crypto {
    requireMemory(workFactor);
    byte[] label = LABEL.getBytes(US_ASCII);
    byte[] labelled = Arrays.copyOf(label, label.length + salt.length);
    System.arraycopy(salt, 0, labelled, label.length, salt.length);
    return SCrypt.generate(
        passphrase, labelled, 1 << workFactor, BLOCK_SIZE, PARALLEL, WRAP_KEY_BYTES);
  }

  /** An OutOfMemoryError would strike the whole process, which is not ours. */
  private static void requireMemory(int workFactor) throws BackupException.Crypto {
    long neededMiB = (128L * BLOCK_SIZE * (1L << workFactor)) >> 20; // RFC 7914, section 2
    long heapMiB = Runtime.getRuntime().maxMemory() >> 20;
    if (neededMiB >= heapMiB) {
      throw new BackupException.Crypto(
          CoreFailure.KEY_UNAVAILABLE,
          "the passphrase takes %d MiB of memory to check, this process may use %d MiB"
              .formatted(neededMiB, heapMiB));
    }
  }

  private static int workFactor(String text) throws Corrupt {
    if (!NUMBER.matcher(text).matches()) {
      throw malformed("has a work factor that is no number");
    }
    int workFactor = Integer.parseInt(text);
    if (workFactor > MAX_WORK_FACTOR) {
      throw malformed(
          "asks for a work factor of %d, above %d".formatted(workFactor, MAX_WORK_FACTOR));
    }
    return workFactor;
  }

  private static Corrupt malformed(String how) {
    return new Corrupt(CoreFailure.MALFORMED, WHERE + " " + how);
  }
}
