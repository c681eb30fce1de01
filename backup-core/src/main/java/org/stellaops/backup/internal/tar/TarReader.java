package org.stellaops.backup.internal.tar;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.stellaops.backup.internal.disk.FileAttributes;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * Reads what {@link TarWriter} writes and refuses the rest: devices, hard links, sparse files,
 * numbers in base 256, names that are not UTF-8, two extended headers for one member, more bytes
 * than the archive has. Checks the form only; whether a name is safe to be created is the affair of
 * whoever creates it. Reads to the end of its stream, since only there the bytes are known to be
 * good.
 */
public final class TarReader {
  private static final int BLOCK = TarWriter.BLOCK;

  /**
   * An extended header has a path, a link target and attributes, which have at most 64 KiB each.
   */
  private static final int MAX_EXTENDED_BYTES = 1 << 20;

  private static final int MTIME_AT = 136;
  private static final String XATTR = "SCHILY.xattr.user.";

  private static final String USTAR = "ustar\00000";

  /** Of GNU tar in its own format, which it writes unless told otherwise, and of BusyBox. */
  private static final String GNU = "ustar  \0";

  private final InputStream in;
  private final String what;
  private final long totalBytes;
  private final boolean isAnybodys;
  private long position;
  private long unread;

  /**
   * @param what named in the messages of failures
   * @param totalBytes length of the archive; no member may claim more than is left of it; {@link
   *     Long#MAX_VALUE} if nobody knows
   */
  public TarReader(InputStream in, String what, long totalBytes) {
    this(in, what, totalBytes, false);
  }

  private TarReader(InputStream in, String what, long totalBytes, boolean isAnybodys) {
    this.in = in;
    this.what = what;
    this.totalBytes = totalBytes;
    this.isAnybodys = isAnybodys;
  }

  /**
   * Reads also what GNU tar and BusyBox write when somebody types {@code tar c}: long names in
   * members of their own, and numbers in base 256. Everything else is refused as before.
   */
  public static TarReader ofAnybody(InputStream in, String what, long totalBytes) {
    return new TarReader(in, what, totalBytes, true);
  }

  /**
   * The next member, after whatever was left of the previous one; empty when everything is read.
   *
   * @throws BackupException.Corrupt MALFORMED or TRUNCATED
   */
  public Optional<TarMember> next() throws IOException {
    skipContent();
    byte[] header = block();
    if (isZero(header)) {
      drain();
      return Optional.empty();
    }
    Map<String, byte[]> extended = Map.of();
    if (header[156] == 'x') {
      extended = extended(size(header));
      header = headerBehind('x');
    } else if (isAnybodys && isLongName(header)) {
      extended = new LinkedHashMap<>();
      while (isLongName(header)) {
        String key = header[156] == 'L' ? "path" : "linkpath";
        if (extended.put(key, longName(size(header))) != null) {
          throw malformed("a member has two long names");
        }
        header = headerBehind('x');
      }
    }
    TarMember member = member(header, extended);
    unread = member.sizeBytes();
    if (unread > totalBytes - position) {
      throw malformed(
          "'%s' claims %d bytes, of which %d can be there"
              .formatted(printable(member.name()), unread, totalBytes - position));
    }
    return Optional.of(member);
  }

  private byte[] headerBehind(char extension) throws IOException {
    byte[] header = block();
    if (header[156] == extension || isZero(header)) {
      throw malformed("an extended header belongs to no member");
    }
    return header;
  }

  /** GNU tar manual, "Basic Tar Format": types L and K, each a member before the one it names. */
  private static boolean isLongName(byte[] header) {
    return header[156] == 'L' || header[156] == 'K';
  }

  private byte[] longName(long length) throws IOException {
    if (length > MAX_EXTENDED_BYTES) {
      throw malformed("a name of %d bytes".formatted(length));
    }
    byte[] name = exactly((int) length);
    skipContent();
    int end = name.length;
    while (end > 0 && name[end - 1] == 0) {
      end--;
    }
    return Arrays.copyOf(name, end);
  }

  /** Where the bytes of the current member begin in the archive, before any of them is read. */
  public long offset() {
    return position;
  }

  /** Some of the current member's bytes; -1 behind the last. */
  public int read(byte[] bytes, int offset, int length) throws IOException {
    if (unread == 0) {
      return -1;
    }
    int n = in.read(bytes, offset, (int) Math.min(length, unread));
    if (n < 0) {
      throw truncated();
    }
    position += n;
    unread -= n;
    return n;
  }

  /**
   * Says that the stream was moved behind the current member's bytes, none of which was read: for
   * whoever has the archive in a file, and looks for members only.
   */
  public void skipped() {
    position += unread;
    unread = 0;
  }

  private void skipContent() throws IOException {
    byte[] buffer = new byte[1 << 16];
    while (unread > 0) {
      read(buffer, 0, buffer.length);
    }
    int rest = (int) (position % BLOCK);
    if (rest != 0 && !isZero(exactly(BLOCK - rest))) {
      throw malformed("something stands between its members");
    }
  }

  private void drain() throws IOException {
    byte[] buffer = new byte[1 << 16];
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      for (int i = 0; i < n; i++) {
        if (buffer[i] != 0) {
          throw malformed("something stands behind its end");
        }
      }
    }
  }

  private byte[] block() throws IOException {
    byte[] block = exactly(BLOCK);
    if (!isZero(block)) {
      if (number(block, 148, 8) != TarWriter.sum(block)) {
        throw malformed("wrong checksum of the header at " + (position - BLOCK));
      }
      String magic = new String(block, 257, 8, StandardCharsets.ISO_8859_1);
      if (!magic.equals(USTAR) && !(isAnybodys && magic.equals(GNU))) {
        throw malformed("no ustar header at " + (position - BLOCK));
      }
    }
    return block;
  }

  private byte[] exactly(int length) throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw truncated();
    }
    position += length;
    return bytes;
  }

  private static boolean isZero(byte[] block) {
    return Arrays.equals(block, new byte[block.length]);
  }

  private TarMember member(byte[] header, Map<String, byte[]> extended) throws IOException {
    String name = text(extended, "path", nameField(header));
    TarMember.Type type = type((char) (header[156] & 0xff), name);
    long sizeBytes = extended.containsKey("size") ? size(extended) : size(header);
    if (type != TarMember.Type.FILE && sizeBytes != 0) {
      throw malformed("'%s' is no file and has bytes".formatted(printable(name)));
    }
    boolean hasSlash = name.endsWith("/");
    if (hasSlash && type != TarMember.Type.DIRECTORY) {
      throw malformed("'%s' is no directory".formatted(printable(name)));
    }
    return new TarMember(
        hasSlash ? name.substring(0, name.length() - 1) : name,
        type,
        sizeBytes,
        type == TarMember.Type.LINK ? text(extended, "linkpath", field(header, 157, 100)) : "",
        attributes(header, extended));
  }

  private TarMember.Type type(char flag, String name) throws BackupException.Corrupt {
    return switch (flag) {
      case '0', '\0' -> TarMember.Type.FILE;
      case '2' -> TarMember.Type.LINK;
      case '5' -> TarMember.Type.DIRECTORY;
      default ->
          throw malformed(
              "'%s' has type %d: neither file, directory nor symbolic link"
                  .formatted(printable(name), (int) flag));
    };
  }

  private String nameField(byte[] header) throws BackupException.Corrupt {
    // GNU tar keeps other things there.
    boolean hasPrefix = header[263] == '0';
    String prefix = hasPrefix ? field(header, 345, 155) : "";
    String name = field(header, 0, 100);
    return prefix.isEmpty() ? name : prefix + "/" + name;
  }

  private FileAttributes attributes(byte[] header, Map<String, byte[]> extended)
      throws BackupException.Corrupt {
    return new FileAttributes(
        (int) number(header, 100, 8),
        id(extended, "uid", number(header, 108, 8)),
        id(extended, "gid", number(header, 116, 8)),
        text(extended, "uname", field(header, 265, 32)),
        text(extended, "gname", field(header, 297, 32)),
        extended.containsKey("mtime")
            ? time(text(extended, "mtime", ""))
            : Instant.ofEpochSecond(number(header, MTIME_AT, 12)),
        userAttributes(extended));
  }

  private static SortedMap<String, ByteBuffer> userAttributes(Map<String, byte[]> extended) {
    SortedMap<String, ByteBuffer> found = new TreeMap<>();
    extended.forEach(
        (key, value) -> {
          if (key.startsWith(XATTR)) {
            found.put(key.substring(XATTR.length()), ByteBuffer.wrap(value).asReadOnlyBuffer());
          }
        });
    return found;
  }

  private Map<String, byte[]> extended(long length) throws IOException {
    if (length > MAX_EXTENDED_BYTES) {
      throw malformed("an extended header of %d bytes".formatted(length));
    }
    byte[] records = exactly((int) length);
    skipContent();
    Map<String, byte[]> extended = new LinkedHashMap<>();
    for (int at = 0; at < records.length; ) {
      at = record(records, at, extended);
    }
    return extended;
  }

  private int record(byte[] records, int at, Map<String, byte[]> extended)
      throws BackupException.Corrupt {
    int space = indexOf(records, ' ', at, Math.min(records.length, at + 8));
    int length = (int) decimal(ascii(records, at, space), MAX_EXTENDED_BYTES);
    int end = at + length;
    int equals = indexOf(records, '=', space, Math.min(records.length, end));
    if (end > records.length || records[end - 1] != '\n') {
      throw malformed("a record of an extended header has the wrong length");
    }
    String key = utf8(Arrays.copyOfRange(records, space + 1, equals));
    if (key.startsWith("GNU.sparse.")) {
      throw malformed("a sparse file");
    }
    if (extended.put(key, Arrays.copyOfRange(records, equals + 1, end - 1)) != null) {
      throw malformed("an extended header says '%s' twice".formatted(printable(key)));
    }
    return end;
  }

  private int indexOf(byte[] bytes, char wanted, int from, int to) throws BackupException.Corrupt {
    for (int i = from; i < to; i++) {
      if (bytes[i] == wanted) {
        return i;
      }
    }
    throw malformed("an extended header is no list of records");
  }

  private long size(Map<String, byte[]> extended) throws BackupException.Corrupt {
    return decimal(text(extended, "size", ""), Long.MAX_VALUE);
  }

  private long size(byte[] header) throws BackupException.Corrupt {
    return number(header, 124, 12);
  }

  private int id(Map<String, byte[]> extended, String key, long inHeader)
      throws BackupException.Corrupt {
    return (int)
        (extended.containsKey(key) ? decimal(text(extended, key, ""), 0xffffffffL) : inHeader);
  }

  private Instant time(String seconds) throws BackupException.Corrupt {
    if (seconds.matches("-?[0-9]{1,18}(\\.[0-9]{1,18})?")) {
      try {
        BigDecimal value = new BigDecimal(seconds).setScale(9, RoundingMode.FLOOR);
        BigDecimal whole = value.setScale(0, RoundingMode.FLOOR);
        return Instant.ofEpochSecond(
            whole.longValueExact(), value.subtract(whole).movePointRight(9).longValueExact());
      } catch (DateTimeException e) {
        throw malformed("no time: '%s'".formatted(seconds));
      }
    }
    throw malformed("no time: '%s'".formatted(printable(seconds)));
  }

  private long decimal(String digits, long max) throws BackupException.Corrupt {
    if (digits.matches("[0-9]{1,18}")) {
      long value = Long.parseLong(digits);
      if (value <= max) {
        return value;
      }
    }
    throw malformed("no number up to %d: '%s'".formatted(max, printable(digits)));
  }

  /** Octal digits, with blanks before and blanks or zeros behind. */
  private long number(byte[] header, int at, int width) throws BackupException.Corrupt {
    if (isAnybodys && header[at] < 0) {
      return binary(header, at, width);
    }
    int from = at;
    int to = at + width;
    while (from < to && header[from] == ' ') {
      from++;
    }
    while (to > from && (header[to - 1] == ' ' || header[to - 1] == 0)) {
      to--;
    }
    long value = 0;
    for (int i = from; i < to; i++) {
      int digit = header[i] - '0';
      if (digit < 0 || digit > 7) {
        throw malformed("no octal number in the header at " + (position - BLOCK));
      }
      value = value << 3 | digit;
    }
    if (from == to) {
      throw malformed("a number is missing in the header at " + (position - BLOCK));
    }
    return value;
  }

  /** GNU tar: the top bit set, then a number in two's complement, big endian. */
  private long binary(byte[] header, int at, int width) throws BackupException.Corrupt {
    byte[] digits = Arrays.copyOfRange(header, at, at + width);
    boolean isNegative = (digits[0] & 0x40) != 0;
    digits[0] = (byte) (isNegative ? digits[0] : digits[0] & 0x3f);
    try {
      long value = new BigInteger(digits).longValueExact();
      if (value >= 0 || at == MTIME_AT) {
        return value;
      }
    } catch (ArithmeticException e) {
      // Said below.
    }
    throw malformed("a number that cannot be in the header at " + (position - BLOCK));
  }

  private String field(byte[] header, int at, int width) throws BackupException.Corrupt {
    int end = at;
    while (end < at + width && header[end] != 0) {
      end++;
    }
    return utf8(Arrays.copyOfRange(header, at, end));
  }

  private String text(Map<String, byte[]> extended, String key, String otherwise)
      throws BackupException.Corrupt {
    byte[] value = extended.get(key);
    return value == null ? otherwise : utf8(value);
  }

  private String utf8(byte[] bytes) throws BackupException.Corrupt {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw malformed("a name that is not UTF-8");
    }
  }

  private static String ascii(byte[] bytes, int from, int to) {
    return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
  }

  private static String printable(String text) {
    String head = text.length() > 200 ? text.substring(0, 200) + "…" : text;
    return head.replaceAll("\\p{Cntrl}", "?");
  }

  private BackupException.Corrupt malformed(String how) {
    return new BackupException.Corrupt(CoreFailure.MALFORMED, what + ": " + how);
  }

  private BackupException.Corrupt truncated() {
    return new BackupException.Corrupt(
        CoreFailure.TRUNCATED,
        totalBytes == Long.MAX_VALUE
            ? "%s: ends after %d bytes, before its end".formatted(what, position)
            : "%s: ends after %d of %d bytes".formatted(what, position, totalBytes),
        new EOFException());
  }
}
