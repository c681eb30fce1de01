package org.stellaops.backup.internal.tar;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.stellaops.backup.internal.disk.FileAttributes;
import org.stellaops.backup.spi.ArtifactOutput;

/**
 * Writes a POSIX pax archive (IEEE Std 1003.1, pax, "pax Interchange Format"). What fits a ustar
 * header stands there; what does not stands in an extended header before it: long or non-ASCII
 * names, fractions of seconds, sizes from 8 GiB on, and extended attributes as {@code
 * SCHILY.xattr.*}, byte by byte as GNU tar does. The same members give the same bytes.
 *
 * <p>Commons Compress is not used for it: it keeps extended headers as strings, and an extended
 * attribute need not be one.
 */
public final class TarWriter {
  /** Members from this size on begin and end a chunk; smaller ones share chunks. */
  public static final long ALIGNED_FROM_BYTES = 1 << 20;

  static final int BLOCK = 512;

  /** What 11 octal digits hold. */
  static final long MAX_USTAR_SIZE = 077777777777L;

  private static final long MAX_USTAR_ID = 07777777L;
  private static final int NAME_FIELD = 100;
  private static final int OWNER_FIELD = 31;
  private static final String XATTR = "SCHILY.xattr.user.";

  private final ArtifactOutput out;
  private long position;
  private long missing;
  private boolean isAligned;

  /** Writes to {@code out}, which the caller owns. */
  public TarWriter(ArtifactOutput out) {
    this.out = out;
  }

  /**
   * Begins a member.
   *
   * @return where its bytes begin in the archive
   */
  public long begin(TarMember member) throws IOException {
    requireWhole();
    byte[] extended = extended(member);
    if (extended.length > 0) {
      put(header("PaxHeaders/member", 'x', extended.length, "", FileAttributes.plain(0644)));
      put(extended);
      pad();
    }
    put(
        header(
            member.nameInArchive(),
            member.type().flag,
            member.sizeBytes(),
            member.linkTarget(),
            member.attributes()));
    missing = member.sizeBytes();
    isAligned = missing >= ALIGNED_FROM_BYTES;
    if (isAligned) {
      out.boundary();
    }
    return position;
  }

  /** Some of the member's bytes. */
  public void write(byte[] bytes, int offset, int length) throws IOException {
    if (length > missing) {
      throw new IllegalStateException(length - missing + " bytes more than announced");
    }
    out.write(bytes, offset, length);
    position += length;
    missing -= length;
  }

  /** Ends the member; all its bytes must have been written. */
  public void end() throws IOException {
    requireWhole();
    pad();
    if (isAligned) {
      out.boundary();
      isAligned = false;
    }
  }

  /** Ends the archive: two blocks of zeros. */
  public void finish() throws IOException {
    requireWhole();
    put(new byte[2 * BLOCK]);
  }

  private void requireWhole() {
    if (missing != 0) {
      throw new IllegalStateException(missing + " bytes of the member were not written");
    }
  }

  private void put(byte[] bytes) throws IOException {
    out.write(bytes, 0, bytes.length);
    position += bytes.length;
  }

  private void pad() throws IOException {
    int rest = (int) (position % BLOCK);
    if (rest != 0) {
      put(new byte[BLOCK - rest]);
    }
  }

  private static byte[] extended(TarMember member) {
    var records = new ByteArrayOutputStream();
    FileAttributes is = member.attributes();
    if (!fits(member.nameInArchive(), NAME_FIELD)) {
      record(records, "path", member.nameInArchive());
    }
    if (!fits(member.linkTarget(), NAME_FIELD)) {
      record(records, "linkpath", member.linkTarget());
    }
    if (member.sizeBytes() > MAX_USTAR_SIZE) {
      record(records, "size", Long.toString(member.sizeBytes()));
    }
    if (!isWholeUstarSecond(is.modified())) {
      record(records, "mtime", seconds(is.modified()));
    }
    record(records, "uid", is.uid());
    record(records, "gid", is.gid());
    if (!fits(is.user(), OWNER_FIELD)) {
      record(records, "uname", is.user());
    }
    if (!fits(is.group(), OWNER_FIELD)) {
      record(records, "gname", is.group());
    }
    is.userAttributes().forEach((name, value) -> record(records, XATTR + name, bytes(value)));
    return records.toByteArray();
  }

  private static boolean fits(String text, int fieldBytes) {
    return text.length() <= fieldBytes && text.chars().allMatch(c -> c > 0 && c < 0x80);
  }

  private static boolean isWholeUstarSecond(Instant time) {
    return time.getNano() == 0
        && time.getEpochSecond() >= 0
        && time.getEpochSecond() <= MAX_USTAR_SIZE;
  }

  /** Decimal seconds; {@code -1.5} is half a second before {@code -1}. */
  private static String seconds(Instant time) {
    return BigDecimal.valueOf(time.getEpochSecond())
        .add(BigDecimal.valueOf(time.getNano(), 9))
        .stripTrailingZeros()
        .toPlainString();
  }

  private static void record(ByteArrayOutputStream records, String key, int id) {
    if (Integer.toUnsignedLong(id) > MAX_USTAR_ID) {
      record(records, key, Integer.toUnsignedString(id));
    }
  }

  private static void record(ByteArrayOutputStream records, String key, String value) {
    record(records, key, value.getBytes(StandardCharsets.UTF_8));
  }

  /** {@code "%d %s=%s\n"}, where the number counts itself too. */
  private static void record(ByteArrayOutputStream records, String key, byte[] value) {
    byte[] name = key.getBytes(StandardCharsets.UTF_8);
    int rest = name.length + value.length + 3;
    int length = rest + Integer.toString(rest).length();
    length = rest + Integer.toString(length).length();
    records.writeBytes((length + " ").getBytes(StandardCharsets.US_ASCII));
    records.writeBytes(name);
    records.write('=');
    records.writeBytes(value);
    records.write('\n');
  }

  private static byte[] bytes(ByteBuffer value) {
    byte[] copy = new byte[value.remaining()];
    value.duplicate().get(copy);
    return copy;
  }

  private static byte[] header(
      String name, char type, long sizeBytes, String linkTarget, FileAttributes is) {
    byte[] block = new byte[BLOCK];
    text(block, 0, NAME_FIELD, name);
    octal(block, 100, 8, is.mode());
    octal(block, 108, 8, orZero(Integer.toUnsignedLong(is.uid()), MAX_USTAR_ID));
    octal(block, 116, 8, orZero(Integer.toUnsignedLong(is.gid()), MAX_USTAR_ID));
    octal(block, 124, 12, orZero(sizeBytes, MAX_USTAR_SIZE));
    octal(block, 136, 12, orZero(is.modified().getEpochSecond(), MAX_USTAR_SIZE));
    block[156] = (byte) type;
    text(block, 157, NAME_FIELD, linkTarget);
    text(block, 257, 6, "ustar");
    text(block, 263, 2, "00");
    text(block, 265, OWNER_FIELD, is.user());
    text(block, 297, OWNER_FIELD, is.group());
    checksum(block);
    return block;
  }

  private static long orZero(long value, long max) {
    return value >= 0 && value <= max ? value : 0;
  }

  /** What does not fit is only for readers that know no extended headers: ASCII, cut off. */
  private static void text(byte[] block, int at, int width, String text) {
    byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(ascii, 0, block, at, Math.min(width, ascii.length));
  }

  private static void octal(byte[] block, int at, int width, long value) {
    String digits = Long.toOctalString(value);
    for (int i = 0; i < width - 1; i++) {
      int from = digits.length() - (width - 1) + i;
      block[at + i] = (byte) (from < 0 ? '0' : digits.charAt(from));
    }
  }

  /** Sum of all bytes, the checksum's own counted as spaces. */
  private static void checksum(byte[] block) {
    octal(block, 148, 7, sum(block));
    block[155] = ' ';
  }

  static long sum(byte[] block) {
    long sum = 8 * ' ';
    for (int i = 0; i < BLOCK; i++) {
      sum += i >= 148 && i < 156 ? 0 : block[i] & 0xff;
    }
    return sum;
  }
}
