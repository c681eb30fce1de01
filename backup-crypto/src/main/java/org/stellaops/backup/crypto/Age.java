package org.stellaops.backup.crypto;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;
import org.stellaops.backup.crypto.internal.age.AgeHeader;
import org.stellaops.backup.crypto.internal.age.ArmorStream;
import org.stellaops.backup.crypto.internal.age.Ciphers;
import org.stellaops.backup.crypto.internal.age.Lanes;
import org.stellaops.backup.crypto.internal.age.PayloadKey;
import org.stellaops.backup.crypto.internal.age.PayloadSealing;
import org.stellaops.backup.crypto.internal.age.PayloadStream;
import org.stellaops.backup.crypto.internal.age.SegmentReader;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Corrupt;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.SealedFormat;
import org.stellaops.backup.spi.Stanza;

/**
 * The age v1 format (age-encryption.org/v1): what is written here the {@code age} tool reads, and
 * the reverse. A value without state; from any thread.
 *
 * <p>Streams hold one segment of 64 KiB, or a fixed number of them under {@link #parallel},
 * whatever the length. The header is refused beyond 1 MiB or 1000 recipients. ChaCha20-Poly1305 is
 * computed by Conscrypt where it is on the class path (several times as fast as JDK 17), else by
 * the JDK; {@link #toString} says by whom.
 *
 * <p>What reading can find, each with a code of its own:
 *
 * <ul>
 *   <li>no identity matches: {@code Crypto} WRONG_KEY. A damaged header can look the same, since
 *       only the file key can judge it;
 *   <li>the passphrase does not fit: {@code Crypto} WRONG_PASSPHRASE;
 *   <li>the file ends too early: {@code Corrupt} TRUNCATED;
 *   <li>the file was altered: {@code Corrupt} CORRUPT_OBJECT. Of a last segment that does not
 *       authenticate nobody can say whether it was cut or altered: behind other segments it is
 *       reported as TRUNCATED, alone as CORRUPT_OBJECT, and the message says both;
 *   <li>it is no age file, or no well-formed one: {@code Corrupt} MALFORMED.
 * </ul>
 */
public final class Age implements SealedFormat {
  private static final String NAME = "age/1";
  private static final int FILE_KEY_BYTES = 16;

  /** Holds the header of a file for about twenty recipients. */
  private static final int FIRST_READ_BYTES = 4096;

  private static final int BUFFER_BYTES = 8192;

  private final Ciphers ciphers;
  private final Lanes lanes;
  private final boolean isPostQuantum;
  private final SecureRandom random = new SecureRandom();

  Age(Ciphers ciphers, Lanes lanes) {
    this(ciphers, lanes, false);
  }

  private Age(Ciphers ciphers, Lanes lanes, boolean isPostQuantum) {
    this.ciphers = ciphers;
    this.lanes = lanes;
    this.isPostQuantum = isPostQuantum;
  }

  /** The same format, whose new identities are post-quantum ones, for whoever wants them. */
  static Age postQuantum() {
    return new Age(Default.AGE.ciphers, Lanes.CALLER, true);
  }

  /** The format, working in the calling thread. */
  public static Age format() {
    return Default.AGE;
  }

  /**
   * The same format for large single streams: segments are sealed and opened by {@code executor}
   * and the calling thread together, 8 at a time, and written or given out in order. A stream holds
   * up to {@code 2 * threads} MiB. An executor that is busy or shut down makes it slower, nothing
   * else.
   *
   * @param executor not closed
   * @param threads that work on one stream, the calling one among them; 1 or more
   */
  public static Age parallel(Executor executor, int threads) {
    return new Age(Default.AGE.ciphers, Lanes.of(executor, threads));
  }

  /** The same format without Conscrypt, for hosts that must not load native code. */
  public static Age withoutConscrypt() {
    return new Age(Ciphers.jdk(), Lanes.CALLER);
  }

  @Override
  public String name() {
    return NAME;
  }

  /** {@inheritDoc} Each segment is written as soon as a byte of the next one is known. */
  @Override
  public Sealing seal(OutputStream stored, List<? extends Recipient> to) throws IOException {
    byte[] secret = randomBytes(FILE_KEY_BYTES);
    try (FileKey key = FileKey.of(secret)) {
      byte[] header = header(key, to).toBytes();
      byte[] nonce = randomBytes(PayloadKey.NONCE_BYTES);
      stored.write(header);
      stored.write(nonce);
      return new PayloadSealing(stored, PayloadKey.of(key, nonce), ciphers, lanes);
    } finally {
      Arrays.fill(secret, (byte) 0);
    }
  }

  /** {@inheritDoc} Armor is recognised and taken off. */
  @Override
  public InputStream open(InputStream stored, List<? extends Identity> by) throws IOException {
    var buffered = new BufferedInputStream(stored, BUFFER_BYTES);
    InputStream binary = startsAsArmor(buffered) ? new ArmorStream(buffered) : buffered;
    return PayloadStream.toTheEnd(binary, Head.read(binary).payloadKey(by), ciphers, lanes);
  }

  /**
   * {@inheritDoc} Reads the header once; each read of a range is one call of {@code stored} for the
   * segments of 64 KiB that it touches. Armored files cannot be read so.
   */
  @Override
  public SealedReader open(RangeReader stored, long storedBytes, List<? extends Identity> by)
      throws IOException {
    Head head = head(stored, storedBytes);
    PayloadKey key = head.payloadKey(by);
    try {
      return new SegmentReader(stored, head.lengthBytes(), storedBytes, key, ciphers, lanes);
    } catch (IOException e) {
      key.destroy();
      throw e;
    }
  }

  @Override
  public Secret newIdentity() throws IOException {
    try (AgeIdentity identity =
        isPostQuantum ? AgeIdentity.generatePostQuantum() : AgeIdentity.generate()) {
      return identity.text();
    }
  }

  @Override
  public AgeIdentity identity(Secret text) throws IOException {
    return AgeIdentity.parse(text);
  }

  @Override
  public AgeRecipient recipientOf(Secret identity) throws IOException {
    try (AgeIdentity parsed = AgeIdentity.parse(identity)) {
      return parsed.recipient();
    }
  }

  @Override
  public AgeRecipient recipient(String text) throws IOException {
    try {
      return AgeRecipient.parse(text);
    } catch (IllegalArgumentException e) {
      throw new BackupException.Crypto(CoreFailure.BAD_KEY, String.valueOf(e.getMessage()), e);
    }
  }

  /** {@code age/1 (Conscrypt)}. */
  @Override
  public String toString() {
    return "%s (%s)".formatted(NAME, ciphers);
  }

  private static AgeHeader header(FileKey key, List<? extends Recipient> to) throws IOException {
    requireMixing(to);
    var stanzas = new ArrayList<Stanza>();
    for (Recipient recipient : to) {
      stanzas.addAll(recipient.wrap(key));
    }
    try {
      return AgeHeader.of(stanzas, key);
    } catch (IllegalArgumentException e) {
      throw badKey("these recipients make no header: " + e.getMessage());
    }
  }

  private static void requireMixing(List<? extends Recipient> to) throws BackupException.Crypto {
    if (to.isEmpty()) {
      throw badKey("nobody to encrypt to: the list of recipients is empty");
    }
    for (Recipient recipient : to) {
      if (!recipient.format().name().equals(NAME)) {
        throw badKey("a recipient of another format: " + recipient.format().name());
      }
    }
    Set<Set<String>> labels = to.stream().map(Recipient::labels).collect(Collectors.toSet());
    if (labels.size() > 1) {
      throw badKey(
          "these recipients do not mix in one file; a passphrase must stand alone, and post-quantum recipients among themselves: the weakest one decides");
    }
  }

  /**
   * Asks for little first: a header is small as a rule, and a store may send all it is asked for.
   */
  private static Head head(RangeReader stored, long storedBytes) throws IOException {
    long first = Math.min(storedBytes, FIRST_READ_BYTES);
    try {
      return Head.read(binary(stored, first));
    } catch (Corrupt e) {
      if (e.code() != CoreFailure.TRUNCATED || first == storedBytes) {
        throw e;
      }
      long most = AgeHeader.MAX_BYTES + (long) PayloadKey.NONCE_BYTES;
      return Head.read(binary(stored, Math.min(storedBytes, most)));
    }
  }

  private static InputStream binary(RangeReader stored, long lengthBytes) throws IOException {
    try (InputStream range = stored.open(new ByteRange(0, lengthBytes))) {
      var start = new ByteArrayInputStream(range.readNBytes((int) lengthBytes));
      if (startsAsArmor(start)) {
        throw new Corrupt(
            CoreFailure.MALFORMED, "an armored age file can only be read from its beginning");
      }
      return start;
    }
  }

  private static FileKey unwrap(AgeHeader header, List<? extends Identity> by) throws IOException {
    if (by.isEmpty()) {
      throw new BackupException.Crypto(
          CoreFailure.KEY_UNAVAILABLE, "no identity was given to open an age file with");
    }
    for (Identity identity : by) {
      Optional<FileKey> key = identity.unwrap(header.stanzas());
      if (key.isPresent()) {
        return requireLength(key.get());
      }
    }
    throw new BackupException.Crypto(
        CoreFailure.WRONG_KEY,
        "no identity of %d given opens the age file: it is encrypted to others (%s), or its header is damaged"
            .formatted(by.size(), summary(header.stanzas())));
  }

  private static FileKey requireLength(FileKey key) throws Corrupt {
    int length = key.use(bytes -> bytes.length);
    if (length != FILE_KEY_BYTES) {
      key.close();
      throw new Corrupt(
          CoreFailure.MALFORMED, "age file key has %d bytes instead of 16".formatted(length));
    }
    return key;
  }

  /** {@code 2 X25519, 1 other}: types from a file may be anything, and long. */
  private static String summary(List<Stanza> stanzas) {
    var counts = new LinkedHashMap<String, Integer>();
    for (Stanza stanza : stanzas) {
      boolean isKnown = Set.of("X25519", "scrypt", "mlkem768x25519").contains(stanza.type());
      counts.merge(isKnown ? stanza.type() : "other", 1, Integer::sum);
    }
    return counts.entrySet().stream()
        .map(count -> count.getValue() + " " + count.getKey())
        .collect(Collectors.joining(", "));
  }

  private static boolean startsAsArmor(InputStream stored) throws IOException {
    stored.mark(ArmorStream.BEGIN.length());
    byte[] start = stored.readNBytes(ArmorStream.BEGIN.length());
    stored.reset();
    return ArmorStream.isArmor(start);
  }

  private byte[] randomBytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private static BackupException.Crypto badKey(String message) {
    return new BackupException.Crypto(CoreFailure.BAD_KEY, message);
  }

  /** What stands before the first segment. */
  private static final class Head {
    private final AgeHeader header;
    private final byte[] nonce;

    private Head(AgeHeader header, byte[] nonce) {
      this.header = header;
      this.nonce = nonce;
    }

    static Head read(InputStream stored) throws IOException {
      AgeHeader header = AgeHeader.read(stored);
      byte[] nonce = stored.readNBytes(PayloadKey.NONCE_BYTES);
      if (nonce.length < PayloadKey.NONCE_BYTES) {
        throw new Corrupt(CoreFailure.TRUNCATED, "age file ends behind its header");
      }
      return new Head(header, nonce);
    }

    long lengthBytes() {
      return header.lengthBytes() + (long) nonce.length;
    }

    PayloadKey payloadKey(List<? extends Identity> by) throws IOException {
      try (FileKey key = unwrap(header, by)) {
        if (!header.isAuthentic(key)) {
          throw new Corrupt(
              CoreFailure.CORRUPT_OBJECT, "age header was altered: its MAC does not match");
        }
        return PayloadKey.of(key, nonce);
      }
    }
  }

  /** Made when first asked for, because Conscrypt loads a native library. */
  private static final class Default {
    static final Age AGE = new Age(Ciphers.conscrypt().orElseGet(Ciphers::jdk), Lanes.CALLER);

    private Default() {}
  }
}
