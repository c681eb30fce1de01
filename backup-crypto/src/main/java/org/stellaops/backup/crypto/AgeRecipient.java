package org.stellaops.backup.crypto;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import org.stellaops.backup.crypto.internal.age.Bech32;
import org.stellaops.backup.crypto.internal.age.Hybrid;
import org.stellaops.backup.crypto.internal.age.HybridWrap;
import org.stellaops.backup.crypto.internal.age.IdentityKey;
import org.stellaops.backup.crypto.internal.age.ScryptWrap;
import org.stellaops.backup.crypto.internal.age.Utf8;
import org.stellaops.backup.crypto.internal.age.X25519;
import org.stellaops.backup.crypto.internal.age.X25519Wrap;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.SealedFormat;
import org.stellaops.backup.spi.Stanza;

/**
 * Whom to encrypt to: a public key {@code age1…} as {@code age-keygen} prints it, or a passphrase.
 * A value; from any thread.
 */
public final class AgeRecipient implements Recipient {
  private static final String PREFIX = "age";
  private static final String HYBRID_PREFIX = "age1pq";
  private static final int KEY_BYTES = 32;

  /** As age calls it: such recipients mix only among themselves. */
  private static final Set<String> POST_QUANTUM = Set.of("postquantum");

  private static final String PASSPHRASE = "passphrase";

  private final String text;
  private final Set<String> labels;
  private final Wrap wrap;
  private final Function<FileKey, String> fingerprint;

  private AgeRecipient(
      String text, Set<String> labels, Wrap wrap, Function<FileKey, String> fingerprint) {
    this.text = text;
    this.labels = labels;
    this.wrap = wrap;
    this.fingerprint = fingerprint;
  }

  /**
   * A public key.
   *
   * @param text {@code age1…} or {@code age1pq1…}, lower case, without anything around it
   * @throws IllegalArgumentException says what the text is instead, as far as it can be told; the
   *     message holds nothing of what could be a private key
   */
  public static AgeRecipient parse(String text) {
    boolean isHybrid = text.startsWith(HYBRID_PREFIX + "1");
    if (!isHybrid) {
      refuseWhatIsSomethingElse(text);
    }
    int length = isHybrid ? Hybrid.PUBLIC_BYTES : KEY_BYTES;
    byte[] key;
    try {
      key = Bech32.decode(isHybrid ? HYBRID_PREFIX : PREFIX, text.toCharArray());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("not an age recipient: " + e.getMessage(), e);
    }
    if (key.length != length) {
      throw new IllegalArgumentException(
          "not an age recipient: it holds %d bytes instead of %d".formatted(key.length, length));
    }
    return isHybrid ? ofHybridKey(key) : ofKey(key);
  }

  /**
   * Whoever knows the passphrase. It must be the only recipient of a file. Each file costs about a
   * second and 256 MiB, to write and to read (scrypt, N = 2^18): meant for identity files, not for
   * many objects.
   *
   * @param passphrase copied; the copy lives as long as this recipient
   * @throws IllegalArgumentException if it is empty, or was closed
   */
  public static AgeRecipient passphrase(Secret passphrase) {
    return passphrase(passphrase, ScryptWrap.WORK_FACTOR);
  }

  /**
   * With a work factor of one's own.
   *
   * @param workFactor logarithm of N
   */
  static AgeRecipient passphrase(Secret passphrase, int workFactor) {
    byte[] bytes = passphraseBytes(passphrase);
    var random = new SecureRandom();
    byte[] label = new byte[16];
    random.nextBytes(label); // unequal to that of any other recipient, so that none mixes with it
    return new AgeRecipient(
        PASSPHRASE,
        Set.of(HexFormat.of().formatHex(label)),
        key -> ScryptWrap.seal(key, bytes, workFactor, random),
        by -> PASSPHRASE + " " + by.use(key -> ScryptWrap.fingerprint(key, bytes)));
  }

  /**
   * The passphrase in UTF-8.
   *
   * @throws IllegalArgumentException if it is empty, or was closed
   */
  static byte[] passphraseBytes(Secret passphrase) {
    byte[] bytes = Utf8.encode(passphrase);
    if (bytes.length == 0) {
      throw new IllegalArgumentException("the passphrase is empty");
    }
    for (byte each : bytes) {
      if (each == 0) {
        throw new IllegalArgumentException(
            "the passphrase holds NUL: was the secret closed before?");
      }
    }
    return bytes;
  }

  /** The public half of a key. */
  static AgeRecipient of(IdentityKey.Pair key) {
    return key instanceof IdentityKey.HybridKey
        ? ofHybridKey(key.recipient())
        : ofKey(key.recipient());
  }

  private static AgeRecipient ofHybridKey(byte[] key) {
    byte[] copy = key.clone();
    String text = new String(Bech32.encode(HYBRID_PREFIX, copy));
    var random = new SecureRandom();
    return new AgeRecipient(
        text, POST_QUANTUM, fileKey -> HybridWrap.seal(fileKey, copy, random), by -> text);
  }

  /**
   * A public key in raw form.
   *
   * @param key 32 bytes
   */
  static AgeRecipient ofKey(byte[] key) {
    if (isOfLowOrder(key)) {
      throw new IllegalArgumentException(
          "not an age recipient: a point of low order, which everyone could decrypt");
    }
    byte[] copy = key.clone();
    var random = new SecureRandom();
    return new AgeRecipient(
        new String(Bech32.encode(PREFIX, copy)),
        Set.of(),
        fileKey -> X25519Wrap.seal(fileKey, copy, random),
        by -> new String(Bech32.encode(PREFIX, copy)));
  }

  /** {@code age1…}; {@code passphrase} for a passphrase. */
  @Override
  public String text() {
    return text;
  }

  @Override
  public String fingerprint(FileKey by) {
    return fingerprint.apply(by);
  }

  @Override
  public Set<String> labels() {
    return labels;
  }

  @Override
  public List<Stanza> wrap(FileKey key) throws IOException {
    return List.of(wrap.wrap(key));
  }

  @Override
  public SealedFormat format() {
    return labels.equals(POST_QUANTUM) ? Age.postQuantum() : Age.format();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof AgeRecipient recipient
        && text.equals(recipient.text)
        && labels.equals(recipient.labels);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  @Override
  public String toString() {
    return text;
  }

  private static void refuseWhatIsSomethingElse(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    if (lower.contains("age-secret-key-")) {
      throw new IllegalArgumentException(
          "this is a private key, not a recipient; it is not shown here. hint: give its public key,"
              + " age1…, which age-keygen -y prints; replace the key if others saw it");
    }
    if (lower.startsWith("ssh-") || lower.startsWith("ecdsa-")) {
      throw new IllegalArgumentException(
          "SSH keys are not supported as recipients. hint: make an age key with age-keygen and give"
              + " its public key, age1…");
    }
    if (text.indexOf('@') >= 0) {
      throw new IllegalArgumentException(
          "this looks like an e-mail address; age knows no addresses. hint: age takes recipients"
              + " age1…, made with age-keygen by whoever is to decrypt");
    }
    if (lower.startsWith("age1") && lower.lastIndexOf('1') > "age".length()) {
      throw new IllegalArgumentException(
          "recipients of age plugins are not supported. hint: give an X25519 recipient, age1 and 58"
              + " characters without a further 1, or a post-quantum one, age1pq1…");
    }
  }

  private static boolean isOfLowOrder(byte[] key) {
    try {
      return X25519.isOfLowOrder(key);
    } catch (IOException e) {
      throw new IllegalStateException("this JVM offers no X25519", e);
    }
  }

  /** Wraps the key of one file. */
  private interface Wrap {
    Stanza wrap(FileKey key) throws IOException;
  }
}
