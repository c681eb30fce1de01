package org.stellaops.backup.crypto.internal.age;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Base64;
import java.util.Objects;
import org.stellaops.backup.model.BackupException.Corrupt;
import org.stellaops.backup.model.CoreFailure;

/**
 * Takes the armor off an age file (age-encryption.org/v1, "ASCII armor"): strict PEM, 64 columns,
 * canonical base64, LF or CRLF, and nothing but white space behind the end.
 */
public final class ArmorStream extends InputStream {
  /** First line. */
  public static final String BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----";

  /** Last line. */
  public static final String END = "-----END AGE ENCRYPTED FILE-----";

  /** Of a full line. */
  public static final int COLUMNS = 64;

  private static final int MAX_WHITE_SPACE_BYTES = 1024;

  private final InputStream armored;
  private byte[] line = new byte[0];
  private int position;
  private boolean isLastLine;
  private boolean isEnded;

  /**
   * Reads the first line.
   *
   * @param armored at its first byte; closed with this stream
   */
  public ArmorStream(InputStream armored) throws IOException {
    this.armored = new BufferedInputStream(armored);
    if (!nextLine().equals(BEGIN)) {
      throw malformed("does not begin with " + BEGIN);
    }
  }

  /** Whether {@code start} could be the beginning of an armored file. */
  public static boolean isArmor(byte[] start) {
    return Arrays.equals(start, BEGIN.getBytes(US_ASCII));
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, into.length);
    while (position == line.length && !isEnded) {
      refill();
    }
    if (length > 0 && position == line.length) {
      return -1;
    }
    int taken = Math.min(length, line.length - position);
    System.arraycopy(line, position, into, offset, taken);
    position += taken;
    return taken;
  }

  @Override
  public void close() throws IOException {
    armored.close();
  }

  private void refill() throws IOException {
    String text = nextLine();
    if (text.equals(END)) {
      requireWhiteSpaceToTheEnd();
      isEnded = true;
      return;
    }
    if (isLastLine || text.isEmpty() || text.length() > COLUMNS) {
      throw malformed("has a line of a wrong length");
    }
    line = decode(text);
    position = 0;
    isLastLine = text.length() < COLUMNS || text.endsWith("=");
  }

  private static byte[] decode(String text) throws Corrupt {
    try {
      byte[] bytes = Base64.getDecoder().decode(text);
      if (Base64.getEncoder().encodeToString(bytes).equals(text)) {
        return bytes;
      }
    } catch (IllegalArgumentException e) {
      // Said below, together with what the decoder passes over.
    }
    throw malformed("has a line that is not canonical base64");
  }

  private String nextLine() throws IOException {
    var text = new StringBuilder();
    for (int next; (next = armored.read()) != '\n'; ) {
      if (next < 0) {
        return unended(text);
      }
      if (text.length() > COLUMNS + 1) {
        throw malformed("has a line of more than 64 characters");
      }
      text.append((char) next);
    }
    int length = text.length();
    return length > 0 && text.charAt(length - 1) == '\r'
        ? text.substring(0, length - 1)
        : text.toString();
  }

  /** The end line need not have a line end. */
  private static String unended(StringBuilder text) throws Corrupt {
    if (text.toString().equals(END)) {
      return END;
    }
    throw new Corrupt(CoreFailure.TRUNCATED, "armored age file ends before its last line");
  }

  private void requireWhiteSpaceToTheEnd() throws IOException {
    int count = 0;
    for (int next; (next = armored.read()) >= 0; count++) {
      if (" \t\r\n".indexOf(next) < 0 || count == MAX_WHITE_SPACE_BYTES) {
        throw malformed("goes on behind its last line");
      }
    }
  }

  private static Corrupt malformed(String how) {
    return new Corrupt(CoreFailure.MALFORMED, "armored age file " + how);
  }
}
