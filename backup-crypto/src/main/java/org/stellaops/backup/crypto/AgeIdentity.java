package org.stellaops.backup.crypto;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.crypto.internal.age.IdentityFile;
import org.stellaops.backup.crypto.internal.age.IdentityKey;
import org.stellaops.backup.crypto.internal.age.IdentityKey.HybridKey;
import org.stellaops.backup.crypto.internal.age.IdentityKey.PassphraseKey;
import org.stellaops.backup.crypto.internal.age.IdentityKey.X25519Key;
import org.stellaops.backup.crypto.internal.age.Utf8;
import org.stellaops.backup.crypto.internal.files.KeyFiles;
import org.stellaops.backup.crypto.internal.files.NewFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.SealedFormat;
import org.stellaops.backup.spi.Stanza;

/**
 * Who can decrypt: the private keys of an identity file as {@code age-keygen} writes it, or a
 * passphrase. From any thread; closing wipes the keys.
 */
public final class AgeIdentity implements Identity {
  /** Of an identity file; the age tool reads more, and nobody has so many keys. */
  private static final int MAX_FILE_BYTES = 1024 * 1024;

  private static final int KEY_BYTES = 32;

  private final List<IdentityKey> keys;
  private volatile boolean isClosed;

  private AgeIdentity(List<? extends IdentityKey> keys) {
    this.keys = List.copyOf(keys);
  }

  /**
   * A new key pair.
   *
   * <pre>{@code
   * try (AgeIdentity identity = AgeIdentity.generate()) {
   *   identity.writeTo(Path.of("owner.txt"));
   *   System.out.println(identity.recipient().text());
   * }
   * }</pre>
   */
  public static AgeIdentity generate() throws IOException {
    byte[] secret = new byte[KEY_BYTES];
    new SecureRandom().nextBytes(secret);
    return new AgeIdentity(List.of(new X25519Key(secret)));
  }

  /**
   * A new key pair that quantum computers do not break either (ML-KEM-768 with X25519), as {@code
   * age-keygen -pq} makes it. What is sealed for its recipient mixes with no other kind.
   */
  public static AgeIdentity generatePostQuantum() throws IOException {
    byte[] seed = new byte[KEY_BYTES];
    new SecureRandom().nextBytes(seed);
    return new AgeIdentity(List.of(new HybridKey(seed)));
  }

  /**
   * The keys in the text of an identity file: one {@code AGE-SECRET-KEY-1…} or {@code
   * AGE-SECRET-KEY-PQ-1…} a line. Empty lines and lines that begin with {@code #} are passed over.
   *
   * @param text stays the caller's
   * @throws BackupException.Crypto BAD_KEY, with the number of the line and nothing of the text
   */
  public static AgeIdentity parse(Secret text) throws IOException {
    return new AgeIdentity(IdentityFile.parse(text, "identity text"));
  }

  /**
   * The keys of an identity file.
   *
   * @throws BackupException.Crypto KEY_FILE_EXPOSED if others than its owner may read it,
   *     KEY_UNAVAILABLE if it cannot be read, BAD_KEY
   */
  public static AgeIdentity file(Path path) throws IOException {
    KeyFiles.requireOwnerOnly(path);
    return fileEvenIfExposed(path);
  }

  /**
   * Like {@link #file(Path)}, whoever may read the file: for mounted secrets whose mode the
   * platform chooses.
   */
  public static AgeIdentity fileEvenIfExposed(Path path) throws IOException {
    byte[] bytes = KeyFiles.read(path, MAX_FILE_BYTES);
    try {
      return parse(bytes, path);
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  /**
   * The keys of an identity file that is itself encrypted with a passphrase, armored or not, as
   * {@code age -p} makes it. Its mode does not matter. Takes about a second.
   *
   * @param passphrase stays the caller's
   * @throws BackupException.Crypto WRONG_PASSPHRASE, KEY_UNAVAILABLE or BAD_KEY
   * @throws BackupException.Corrupt if it is no such file, or damaged
   */
  public static AgeIdentity file(Path path, Secret passphrase) throws IOException {
    byte[] sealed = KeyFiles.read(path, MAX_FILE_BYTES);
    byte[] plain = new byte[0];
    try (AgeIdentity key = passphrase(passphrase);
        InputStream stream = Age.format().open(new ByteArrayInputStream(sealed), List.of(key))) {
      plain = stream.readAllBytes(); // less than the file, whose length was limited
      return parse(plain, path);
    } finally {
      Arrays.fill(plain, (byte) 0);
    }
  }

  /**
   * Opens what {@link AgeRecipient#passphrase} seals. Each file costs about a second, and the
   * memory that its header asks for; more than 4 GiB (N = 2^22), or than this process has, is
   * refused.
   *
   * @param passphrase copied; wiped on close
   * @throws IllegalArgumentException if it is empty, or was closed
   */
  public static AgeIdentity passphrase(Secret passphrase) {
    return new AgeIdentity(List.of(new PassphraseKey(AgeRecipient.passphraseBytes(passphrase))));
  }

  /**
   * The public half; of the first key where there are several.
   *
   * @throws IllegalStateException for a passphrase, which has none
   */
  public AgeRecipient recipient() {
    return AgeRecipient.of(pairs().get(0));
  }

  /**
   * Writes an identity file as {@code age-keygen} does, readable by its owner alone from its first
   * byte on.
   *
   * @param path in a directory that exists
   * @throws java.nio.file.FileAlreadyExistsException and leaves what is there
   * @throws IllegalStateException for a passphrase
   */
  public void writeTo(Path path) throws IOException {
    byte[] text = fileText();
    try {
      write(path, text);
    } finally {
      Arrays.fill(text, (byte) 0);
    }
  }

  /**
   * Writes an identity file that a passphrase protects, in armor: {@link #file(Path, Secret)} and
   * {@code age -d -i} read it.
   *
   * @param path in a directory that exists
   * @param passphrase stays the caller's
   * @throws java.nio.file.FileAlreadyExistsException and leaves what is there
   * @throws IllegalStateException for a passphrase
   */
  public void writeTo(Path path, Secret passphrase) throws IOException {
    byte[] text = fileText();
    var sealed = new ByteArrayOutputStream();
    try (var sealing = Age.format().seal(sealed, List.of(AgeRecipient.passphrase(passphrase)))) {
      sealing.write(text);
      sealing.finish();
    } finally {
      Arrays.fill(text, (byte) 0);
    }
    write(path, AgeArmor.encode(sealed.toByteArray()).getBytes(US_ASCII));
  }

  @Override
  public Optional<FileKey> unwrap(List<Stanza> stanzas) throws IOException {
    requireOpen();
    for (IdentityKey key : keys) {
      for (Stanza stanza : stanzas) {
        Optional<FileKey> unwrapped = key.unwrap(stanza);
        if (unwrapped.isPresent()) {
          return unwrapped;
        }
      }
    }
    return Optional.empty();
  }

  @Override
  public SealedFormat format() {
    return Age.format();
  }

  @Override
  public void close() {
    isClosed = true;
    keys.forEach(IdentityKey::wipe);
  }

  @Override
  public String toString() {
    return "AgeIdentity";
  }

  /** {@code AGE-SECRET-KEY-1…} of the first key. */
  Secret text() {
    return IdentityFile.line(pairs().get(0));
  }

  private byte[] fileText() {
    List<IdentityKey.Pair> all = pairs();
    List<String> recipients = all.stream().map(key -> AgeRecipient.of(key).text()).toList();
    try (Secret text = IdentityFile.format(all, recipients)) {
      return Utf8.encode(text);
    }
  }

  private List<IdentityKey.Pair> pairs() {
    requireOpen();
    List<IdentityKey.Pair> found =
        keys.stream()
            .filter(IdentityKey.Pair.class::isInstance)
            .map(IdentityKey.Pair.class::cast)
            .toList();
    if (found.isEmpty()) {
      throw new IllegalStateException("a passphrase has no public half and no identity file");
    }
    return found;
  }

  private void requireOpen() {
    if (isClosed) {
      throw new IllegalStateException("the identity is closed");
    }
  }

  private static AgeIdentity parse(byte[] bytes, Path path) throws IOException {
    String where = "identity file " + path;
    try (Secret text = Utf8.decode(bytes)) {
      return new AgeIdentity(IdentityFile.parse(text, where));
    } catch (CharacterCodingException e) {
      throw new BackupException.Crypto(
          CoreFailure.BAD_KEY,
          where + " is not text. hint: if it is an encrypted identity file, give its passphrase");
    }
  }

  private static void write(Path path, byte[] bytes) throws IOException {
    try (NewFile file = NewFile.beside(path)) {
      file.stream().write(bytes);
      file.publishAsNew();
    }
  }
}
