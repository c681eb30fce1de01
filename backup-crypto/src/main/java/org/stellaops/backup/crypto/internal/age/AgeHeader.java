package org.stellaops.backup.crypto.internal.age;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.stellaops.backup.model.BackupException.Corrupt;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Stanza;

/**
 * The head of an age file (age-encryption.org/v1, "Header"): a version line, the wrapped file keys,
 * and a MAC by the file key. Read strictly: one header has one spelling.
 */
public final class AgeHeader {
  /** Of the whole header; far above 1000 recipients. */
  public static final int MAX_BYTES = 1024 * 1024;

  /** Of wrapped keys; each may cost a key agreement. */
  static final int MAX_STANZAS = 1000;

  private static final String VERSION_FAMILY = "age-encryption.org/";
  private static final String VERSION = VERSION_FAMILY + "v1";
  private static final String STANZA = "-> ";
  private static final String MAC = "---";
  private static final int COLUMNS = 64;
  private static final int MAC_CHARACTERS = 43;

  private final List<Stanza> stanzas;
  private final byte[] authenticated;
  private final byte[] mac;

  private AgeHeader(List<Stanza> stanzas, byte[] authenticated, byte[] mac) {
    this.stanzas = List.copyOf(stanzas);
    this.authenticated = authenticated;
    this.mac = mac;
  }

  /**
   * A header that {@code key} vouches for.
   *
   * @throws IllegalArgumentException if a stanza cannot be written; the message says why
   */
  public static AgeHeader of(List<Stanza> stanzas, FileKey key) {
    if (stanzas.isEmpty() || stanzas.size() > MAX_STANZAS) {
      throw new IllegalArgumentException(
          "1 to %d stanzas needed: %d".formatted(MAX_STANZAS, stanzas.size()));
    }
    if (isScryptAmongOthers(stanzas)) {
      throw new IllegalArgumentException("a passphrase must stand alone");
    }
    var text = new StringBuilder(VERSION).append('\n');
    for (Stanza stanza : stanzas) {
      append(stanza, text);
    }
    byte[] authenticated = text.append(MAC).toString().getBytes(US_ASCII);
    if (authenticated.length + 1 + MAC_CHARACTERS + 1 > MAX_BYTES) {
      throw new IllegalArgumentException("header of more than %d bytes".formatted(MAX_BYTES));
    }
    return new AgeHeader(stanzas, authenticated, mac(authenticated, key));
  }

  /**
   * Reads up to the end of the header and not a byte further.
   *
   * @param stored read byte by byte
   * @throws Corrupt MALFORMED, TRUNCATED, or UNSUPPORTED_FORMAT for another version of age
   */
  public static AgeHeader read(InputStream stored) throws IOException {
    var lines = new Lines(stored);
    lines.requireVersion();
    var stanzas = new ArrayList<Stanza>();
    String line = lines.next();
    for (; line.startsWith(STANZA); line = lines.next()) {
      if (stanzas.size() == MAX_STANZAS) {
        throw malformed("more than %d stanzas".formatted(MAX_STANZAS));
      }
      stanzas.add(stanza(line, lines));
    }
    if (stanzas.isEmpty() || !line.startsWith(MAC + " ")) {
      throw malformed("a stanza or the MAC expected at line %d".formatted(lines.count));
    }
    byte[] all = lines.seen.toByteArray();
    byte[] authenticated = Arrays.copyOf(all, all.length - (line.length() + 1) + MAC.length());
    if (isScryptAmongOthers(stanzas)) {
      throw malformed("a passphrase stanza among others");
    }
    return new AgeHeader(stanzas, authenticated, mac(line));
  }

  /** The wrapped keys, in order. */
  public List<Stanza> stanzas() {
    return stanzas;
  }

  /** Whether the holder of {@code key} wrote exactly this. */
  public boolean isAuthentic(FileKey key) {
    return MessageDigest.isEqual(mac, mac(authenticated, key));
  }

  /** As it is stored. */
  public byte[] toBytes() {
    byte[] tail = (" " + CanonicalBase64.encode(mac) + "\n").getBytes(US_ASCII);
    byte[] bytes = Arrays.copyOf(authenticated, authenticated.length + tail.length);
    System.arraycopy(tail, 0, bytes, authenticated.length, tail.length);
    return bytes;
  }

  /** Stored length. */
  public int lengthBytes() {
    return authenticated.length + 1 + MAC_CHARACTERS + 1;
  }

  private static byte[] mac(byte[] authenticated, FileKey key) {
    return key.use(
        bytes -> {
          byte[] macKey = Hkdf.derive(bytes, new byte[0], "header");
          try {
            return Hkdf.hmac(macKey, authenticated);
          } finally {
            Arrays.fill(macKey, (byte) 0);
          }
        });
  }

  private static byte[] mac(String line) throws Corrupt {
    String text = line.substring(MAC.length() + 1);
    if (text.length() != MAC_CHARACTERS) {
      throw malformed("the MAC has %d characters instead of 43".formatted(text.length()));
    }
    return decode(text, "the MAC");
  }

  private static Stanza stanza(String firstLine, Lines lines) throws IOException {
    int at = lines.count;
    List<String> words = List.of(firstLine.substring(STANZA.length()).split(" ", -1));
    if (!words.stream().allMatch(AgeHeader::isWord)) {
      throw malformed("the arguments of the stanza at line %d".formatted(at));
    }
    var body = new StringBuilder();
    String line;
    do {
      line = lines.next();
      if (line.length() > COLUMNS) {
        throw malformed("line %d has more than 64 characters".formatted(lines.count));
      }
      body.append(line);
    } while (line.length() == COLUMNS);
    decode(body.toString(), "the body of the stanza at line " + at);
    return new Stanza(words.get(0), words.subList(1, words.size()), body.toString());
  }

  private static void append(Stanza stanza, StringBuilder text) {
    var words = new ArrayList<String>();
    words.add(stanza.type());
    words.addAll(stanza.arguments());
    if (!words.stream().allMatch(AgeHeader::isWord)) {
      throw new IllegalArgumentException("a stanza's type or argument is not printable ASCII");
    }
    CanonicalBase64.decode(stanza.body());
    text.append(STANZA).append(String.join(" ", words)).append('\n');
    String body = stanza.body();
    // The last line is shorter than 64, and empty where the body ends with a full one.
    for (int from = 0; from <= body.length(); from += COLUMNS) {
      text.append(body, from, Math.min(body.length(), from + COLUMNS)).append('\n');
    }
  }

  private static boolean isWord(String word) {
    return !word.isEmpty() && word.chars().allMatch(c -> c >= 33 && c <= 126);
  }

  private static byte[] decode(String base64, String what) throws Corrupt {
    try {
      return CanonicalBase64.decode(base64);
    } catch (IllegalArgumentException e) {
      throw malformed(what + " is not canonical base64");
    }
  }

  /** age-encryption.org/v1, "The scrypt recipient type": it must be the only stanza. */
  private static boolean isScryptAmongOthers(List<Stanza> stanzas) {
    return stanzas.size() > 1
        && stanzas.stream().anyMatch(stanza -> stanza.type().equals(ScryptWrap.TYPE));
  }

  private static Corrupt malformed(String what) {
    return new Corrupt(CoreFailure.MALFORMED, "age header is malformed: " + what);
  }

  /** Lines that end with LF, and all bytes seen so far. */
  private static final class Lines {
    private final InputStream stored;
    private final ByteArrayOutputStream seen = new ByteArrayOutputStream();
    private int count;

    Lines(InputStream stored) {
      this.stored = stored;
    }

    /** Compares byte by byte: what is no age file may have no line end for a long time. */
    void requireVersion() throws IOException {
      for (int i = 0; i < VERSION.length(); i++) {
        int found = nextByte(i == 0 ? "the file is empty" : "the file ends in its first line");
        if (found != VERSION.charAt(i)) {
          throw i < VERSION_FAMILY.length()
              ? new Corrupt(CoreFailure.MALFORMED, "not an age file")
              : otherVersion();
        }
      }
      if (nextByte("the file ends in its first line") != '\n') {
        throw otherVersion();
      }
      count = 1;
    }

    String next() throws IOException {
      var line = new StringBuilder();
      for (int next; (next = nextByte("the file ends inside the header")) != '\n'; ) {
        if (seen.size() >= MAX_BYTES) {
          throw malformed("longer than %d bytes".formatted(MAX_BYTES));
        }
        line.append((char) next); // what is no ASCII is refused with its word or its base64
      }
      count++;
      return line.toString();
    }

    private int nextByte(String ifNone) throws IOException {
      int next = stored.read();
      if (next < 0) {
        throw new Corrupt(CoreFailure.TRUNCATED, "age header is cut: " + ifNone);
      }
      seen.write(next);
      return next;
    }

    private static Corrupt otherVersion() {
      return new Corrupt(
          CoreFailure.UNSUPPORTED_FORMAT, "age file of another version than %s".formatted(VERSION));
    }
  }
}
