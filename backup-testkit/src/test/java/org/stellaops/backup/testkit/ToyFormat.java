package org.stellaops.backup.testkit;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.SealedFormat;
import org.stellaops.backup.spi.Stanza;

/**
 * A format with the shape of age and keys that protect nothing, since the recipient can decrypt
 * too. Header: {@code toy\n}, a line {@code wrapped-key\n} for each recipient, {@code ---MAC\n};
 * then segments of 64 KiB, each AES-GCM with a counter and a mark on the last.
 */
final class ToyFormat implements SealedFormat {
  private static final int SEGMENT_BYTES = 1 << 16;
  private static final int TAG_BYTES = 16;
  private static final int MAX_LINE_BYTES = 200;
  private static final int MAX_LINES = 100;
  private static final Pattern IDENTITY =
      Pattern.compile("TOY-SECRET-([0-9A-F]{64})-([0-9A-F]{8})");
  private static final Pattern RECIPIENT = Pattern.compile("toy1([0-9a-f]{64})([0-9a-f]{8})");

  private final SecureRandom random = new SecureRandom();

  @Override
  public String name() {
    return "toy/1";
  }

  @Override
  public Secret newIdentity() {
    String key = HexFormat.of().withUpperCase().formatHex(random(32));
    return Secret.of("TOY-SECRET-" + key + "-" + check(key).toUpperCase(Locale.ROOT));
  }

  @Override
  public Identity identity(Secret text) throws IOException {
    List<byte[]> keys = new ArrayList<>();
    for (String line : text.use(String::new).lines().map(String::strip).toList()) {
      if (!line.isEmpty() && !line.startsWith("#")) {
        keys.add(secretOf(line));
      }
    }
    if (keys.isEmpty()) {
      throw badKey("no identity in the text");
    }
    return new ToyIdentity(keys);
  }

  @Override
  public Recipient recipientOf(Secret identity) throws IOException {
    return new ToyRecipient(publicOf(secretOf(identity.use(String::new).strip())));
  }

  @Override
  public Recipient recipient(String text) throws IOException {
    var match = RECIPIENT.matcher(text);
    if (!match.matches() || !match.group(2).equals(check(match.group(1)))) {
      throw badKey("not a recipient that begins with toy1");
    }
    return new ToyRecipient(HexFormat.of().parseHex(match.group(1)));
  }

  @Override
  public Sealing seal(OutputStream stored, List<? extends Recipient> to) throws IOException {
    if (to.isEmpty()) {
      throw badKey("no recipient");
    }
    byte[] key = random(16);
    var header = new StringBuilder("toy\n");
    for (Recipient recipient : to) {
      for (Stanza stanza : recipient.wrap(FileKey.of(key))) {
        header.append(stanza.body()).append('\n');
      }
    }
    header.append("---");
    byte[] authenticated = header.toString().getBytes(StandardCharsets.US_ASCII);
    stored.write(authenticated);
    stored.write((base64(mac(key, authenticated)) + "\n").getBytes(StandardCharsets.US_ASCII));
    return new ToySealing(stored, key);
  }

  @Override
  public InputStream open(InputStream stored, List<? extends Identity> by) throws IOException {
    Header header = Header.read(stored, by);
    return new ToyInputStream(stored, header.key(), 0);
  }

  @Override
  public SealedReader open(RangeReader stored, long storedBytes, List<? extends Identity> by)
      throws IOException {
    Header header;
    try (InputStream in = stored.open(ByteRange.ALL)) {
      header = Header.read(in, by);
    }
    long payload = storedBytes - header.lengthBytes();
    if (payload < TAG_BYTES) {
      throw truncated();
    }
    return new ToyReader(stored, header, payload);
  }

  private byte[] random(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] secretOf(String line) throws BackupException.Crypto {
    var match = IDENTITY.matcher(line);
    if (!match.matches() || !match.group(2).equalsIgnoreCase(check(match.group(1)))) {
      throw badKey("not an identity that begins with TOY-SECRET-");
    }
    return HexFormat.of().parseHex(match.group(1));
  }

  private static String check(String text) {
    return Digest.ofContent(text.getBytes(StandardCharsets.US_ASCII)).hex().substring(0, 8);
  }

  private static byte[] publicOf(byte[] secret) {
    return Digest.ofContent(secret).bytes();
  }

  private static String base64(byte[] bytes) {
    return Base64.getEncoder().withoutPadding().encodeToString(bytes);
  }

  private static BackupException.Crypto badKey(String what) {
    return new BackupException.Crypto(CoreFailure.BAD_KEY, what);
  }

  private static BackupException.Corrupt truncated() {
    return new BackupException.Corrupt(CoreFailure.TRUNCATED, "the sealed object ends too early");
  }

  private static BackupException.Corrupt malformed(String what) {
    return new BackupException.Corrupt(CoreFailure.MALFORMED, what);
  }

  private static byte[] mac(byte[] key, byte[] bytes) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(bytes);
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every JDK has HmacSHA256 (javax.crypto.Mac)", e);
    }
  }

  private static byte[] gcm(int mode, byte[] key, byte[] nonce, byte[] in, int length)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(128, nonce));
    return cipher.doFinal(in, 0, length);
  }

  private static byte[] nonce(long segment, boolean isLast) {
    return ByteBuffer.allocate(12).putLong(segment).putInt(isLast ? 1 : 0).array();
  }

  /** What {@code segment} holds; the same for whoever reads in order and whoever does not. */
  private static byte[] openSegment(byte[] key, long segment, boolean isLast, byte[] in)
      throws IOException {
    if (in.length < TAG_BYTES) {
      throw truncated();
    }
    if (in.length == TAG_BYTES && segment > 0) {
      throw malformed("an empty segment behind another");
    }
    try {
      return gcm(Cipher.DECRYPT_MODE, key, nonce(segment, isLast), in, in.length);
    } catch (GeneralSecurityException e) {
      throw new BackupException.Corrupt(
          CoreFailure.CORRUPT_OBJECT, "segment " + segment + " is not authentic", e);
    }
  }

  private record Header(byte[] key, long lengthBytes) {
    static Header read(InputStream in, List<? extends Identity> by) throws IOException {
      var raw = new ByteArrayOutputStream();
      if (!line(in, raw).equals("toy")) {
        throw malformed("not a toy");
      }
      List<Stanza> stanzas = new ArrayList<>();
      String line = line(in, raw);
      for (int n = 0; !line.startsWith("---"); n++) {
        if (n == MAX_LINES) {
          throw malformed("more than " + MAX_LINES + " recipients");
        }
        stanzas.add(new Stanza("toy", List.of(), line));
        line = line(in, raw);
      }
      byte[] key = unwrap(stanzas, by);
      int tail = line.length() - "---".length() + 1;
      byte[] authenticated = Arrays.copyOf(raw.toByteArray(), raw.size() - tail);
      byte[] expected = base64(mac(key, authenticated)).getBytes(StandardCharsets.US_ASCII);
      if (!MessageDigest.isEqual(expected, line.substring(3).getBytes(StandardCharsets.US_ASCII))) {
        throw malformed("the header is not authentic");
      }
      return new Header(key, raw.size());
    }

    private static byte[] unwrap(List<Stanza> stanzas, List<? extends Identity> by)
        throws IOException {
      for (Identity identity : by) {
        Optional<FileKey> key = identity.unwrap(stanzas);
        if (key.isPresent()) {
          return key.get().use(byte[]::clone);
        }
      }
      throw new BackupException.Crypto(CoreFailure.WRONG_KEY, "no identity fits");
    }

    private static String line(InputStream in, ByteArrayOutputStream raw) throws IOException {
      int start = raw.size();
      int b = in.read();
      while (b != '\n') {
        if (b < 0) {
          throw truncated();
        }
        if (b < ' ' || b > '~' || raw.size() - start > MAX_LINE_BYTES) {
          throw malformed("not a line of a header");
        }
        raw.write(b);
        b = in.read();
      }
      raw.write('\n');
      String all = raw.toString(StandardCharsets.US_ASCII);
      return all.substring(start, all.length() - 1);
    }
  }

  private final class ToyRecipient implements Recipient {
    private final byte[] key;

    ToyRecipient(byte[] key) {
      this.key = key;
    }

    @Override
    public String text() {
      String hex = HexFormat.of().formatHex(key);
      return "toy1" + hex + check(hex);
    }

    @Override
    public List<Stanza> wrap(FileKey fileKey) throws IOException {
      byte[] plain = fileKey.use(byte[]::clone);
      byte[] nonce = random(12);
      try {
        byte[] sealed = gcm(Cipher.ENCRYPT_MODE, key, nonce, plain, plain.length);
        byte[] both = ByteBuffer.allocate(12 + sealed.length).put(nonce).put(sealed).array();
        return List.of(new Stanza("toy", List.of(), base64(both)));
      } catch (GeneralSecurityException e) {
        throw new BackupException.Crypto(CoreFailure.SEALING_FAILED, "wrap", e);
      }
    }

    @Override
    public SealedFormat format() {
      return ToyFormat.this;
    }
  }

  private final class ToyIdentity implements Identity {
    private final List<byte[]> secrets;

    ToyIdentity(List<byte[]> secrets) {
      this.secrets = secrets;
    }

    @Override
    public Optional<FileKey> unwrap(List<Stanza> stanzas) {
      for (Stanza stanza : stanzas) {
        for (byte[] secret : secrets) {
          Optional<FileKey> key = unwrap(stanza, secret);
          if (stanza.type().equals("toy") && key.isPresent()) {
            return key;
          }
        }
      }
      return Optional.empty();
    }

    @Override
    public SealedFormat format() {
      return ToyFormat.this;
    }

    @Override
    public void close() {
      secrets.forEach(s -> Arrays.fill(s, (byte) 0));
    }

    private Optional<FileKey> unwrap(Stanza stanza, byte[] secret) {
      try {
        byte[] both = Base64.getDecoder().decode(stanza.body());
        if (both.length != 12 + 16 + TAG_BYTES) {
          return Optional.empty();
        }
        byte[] nonce = Arrays.copyOf(both, 12);
        byte[] sealed = Arrays.copyOfRange(both, 12, both.length);
        return Optional.of(
            FileKey.of(gcm(Cipher.DECRYPT_MODE, publicOf(secret), nonce, sealed, sealed.length)));
      } catch (GeneralSecurityException | IllegalArgumentException e) {
        return Optional.empty();
      }
    }
  }

  private static final class ToySealing extends Sealing {
    private final OutputStream stored;
    private final byte[] key;
    private final byte[] segment = new byte[SEGMENT_BYTES];
    private int filled;
    private long number;
    private boolean isOver;

    ToySealing(OutputStream stored, byte[] key) {
      this.stored = stored;
      this.key = key;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      requireOpen();
      int done = 0;
      while (done < length) {
        if (filled == SEGMENT_BYTES) {
          flushSegment(false);
        }
        int some = Math.min(length - done, SEGMENT_BYTES - filled);
        System.arraycopy(bytes, offset + done, segment, filled, some);
        filled += some;
        done += some;
      }
    }

    @Override
    public void finish() throws IOException {
      requireOpen();
      flushSegment(true);
      isOver = true;
    }

    @Override
    public void close() {
      isOver = true;
      Arrays.fill(key, (byte) 0);
    }

    private void flushSegment(boolean isLast) throws IOException {
      try {
        stored.write(gcm(Cipher.ENCRYPT_MODE, key, nonce(number, isLast), segment, filled));
      } catch (GeneralSecurityException e) {
        throw new BackupException.Crypto(CoreFailure.SEALING_FAILED, "segment " + number, e);
      }
      number++;
      filled = 0;
    }

    private void requireOpen() {
      if (isOver) {
        throw new IllegalStateException("finished or closed");
      }
    }
  }

  private static final class ToyInputStream extends InputStream {
    private final InputStream stored;
    private final byte[] key;
    private long number;
    private byte[] ahead = new byte[0];
    private @Nullable InputStream segment;
    private boolean isLast;

    ToyInputStream(InputStream stored, byte[] key, long number) throws IOException {
      this.stored = stored;
      this.key = key;
      this.number = number;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      int n = segment == null ? -1 : segment.read(buffer, offset, length);
      while (n < 0 && !isLast) {
        next();
        n = segment == null ? -1 : segment.read(buffer, offset, length);
      }
      return n;
    }

    @Override
    public void close() throws IOException {
      stored.close();
    }

    /** The last segment is known by nothing behind it. */
    private void next() throws IOException {
      var sealed = new ByteArrayOutputStream();
      sealed.write(ahead);
      sealed.write(stored.readNBytes(SEGMENT_BYTES + TAG_BYTES - ahead.length));
      ahead = stored.readNBytes(1);
      boolean seemsLast = ahead.length == 0;
      segment = new ByteArrayInputStream(openSegment(key, number, seemsLast, sealed.toByteArray()));
      isLast = seemsLast;
      number++;
    }
  }

  private static final class ToyReader implements SealedReader {
    private static final long SEALED_BYTES = SEGMENT_BYTES + TAG_BYTES;
    private final RangeReader stored;
    private final Header header;
    private final long payload;
    private final long segments;

    ToyReader(RangeReader stored, Header header, long payload) {
      this.stored = stored;
      this.header = header;
      this.payload = payload;
      this.segments = (payload + SEALED_BYTES - 1) / SEALED_BYTES;
    }

    @Override
    public long plainBytes() {
      return payload - segments * TAG_BYTES;
    }

    @Override
    public InputStream read(ByteRange plain) throws IOException {
      var out = new ByteArrayOutputStream();
      long end = plain.endIn(plainBytes());
      for (long at = Math.min(plain.offset(), end); at < end; ) {
        byte[] segment = segment(at / SEGMENT_BYTES);
        int from = (int) (at % SEGMENT_BYTES);
        int some = (int) Math.min(segment.length - from, end - at);
        out.write(segment, from, some);
        at += some;
      }
      return new ByteArrayInputStream(out.toByteArray());
    }

    @Override
    public void close() {
      Arrays.fill(header.key(), (byte) 0);
    }

    private byte[] segment(long number) throws IOException {
      long start = number * SEALED_BYTES;
      long length = Math.min(SEALED_BYTES, payload - start);
      try (InputStream in = stored.open(new ByteRange(header.lengthBytes() + start, length))) {
        byte[] sealed = in.readNBytes((int) length);
        if (sealed.length < length) {
          throw new EOFException("the store gave less than the range");
        }
        return openSegment(header.key(), number, number == segments - 1, sealed);
      }
    }
  }
}
