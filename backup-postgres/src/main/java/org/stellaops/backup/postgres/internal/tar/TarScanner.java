package org.stellaops.backup.postgres.internal.tar;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * Reads the tar that a server's base backup consists of, while it passes: bytes are pushed in, and
 * members come out.
 *
 * <p>It knows exactly what src/port/tar.c writes: ustar headers, regular files and directories,
 * sizes in octal or, from 8 GiB on, in base 256. Anything else, and any path that would leave the
 * directory it is unpacked in, is an error: a link or a device has no business in a base backup
 * whose tablespaces are named by a map.
 */
public final class TarScanner {
  private static final int BLOCK_BYTES = 512;
  private static final int NAME_BYTES = 100;
  private static final int SIZE_OFFSET = 124;
  private static final int TIME_OFFSET = 136;
  private static final int TIME_BYTES = 12;
  private static final int SIZE_BYTES = 12;
  private static final int CHECKSUM_OFFSET = 148;
  private static final int CHECKSUM_BYTES = 8;
  private static final int TYPE_OFFSET = 156;
  private static final int MAGIC_OFFSET = 257;
  private static final int PREFIX_OFFSET = 345;
  private static final int PREFIX_BYTES = 155;
  private static final byte[] MAGIC = "ustar".getBytes(StandardCharsets.US_ASCII);

  private final String archive;
  private final Members members;
  private final byte[] header = new byte[BLOCK_BYTES];
  private int headerBytes;
  private @Nullable TarMember member;
  private long contentLeft;
  private int paddingLeft;
  private Instant modified = Instant.EPOCH;
  private int zeroBlocks;

  /**
   * For one archive.
   *
   * @param archive its name, for messages
   */
  public TarScanner(String archive, Members members) {
    this.archive = archive;
    this.members = members;
  }

  /**
   * Takes bytes up to the next edge, which is the end of a header, of a member with its padding, or
   * of what is given.
   *
   * @return how many were taken, at least 1 if {@code length} is
   */
  public int scan(byte[] bytes, int offset, int length) throws IOException {
    TarMember current = member;
    return current == null
        ? scanHeader(bytes, offset, length)
        : scanMember(current, bytes, offset, length);
  }

  /** Takes all the bytes. */
  public void scanAll(byte[] bytes, int offset, int length) throws IOException {
    for (int done = 0; done < length; ) {
      done += scan(bytes, offset + done, length - done);
    }
  }

  /** When the member that began last was modified, by its header; whole seconds. */
  public Instant modified() {
    return modified;
  }

  /** Whether what was scanned ends with a header or within the content of its member. */
  public boolean isInMember() {
    return member != null;
  }

  /** Checks that the archive ended where an archive may end. */
  public void finish() throws IOException {
    if (member != null || headerBytes != 0 || zeroBlocks < 2) {
      throw malformed("it ends in the middle of " + (member == null ? "a header" : member.path()));
    }
  }

  private int scanHeader(byte[] bytes, int offset, int length) throws IOException {
    int taken = Math.min(length, BLOCK_BYTES - headerBytes);
    System.arraycopy(bytes, offset, header, headerBytes, taken);
    headerBytes += taken;
    if (headerBytes == BLOCK_BYTES) {
      headerBytes = 0;
      begin();
    }
    return taken;
  }

  private int scanMember(TarMember current, byte[] bytes, int offset, int length)
      throws IOException {
    int content = (int) Math.min(length, contentLeft);
    if (content > 0) {
      members.content(bytes, offset, content);
      contentLeft -= content;
    }
    int padding = Math.min(length - content, paddingLeft);
    if (contentLeft == 0) {
      paddingLeft -= padding;
      if (paddingLeft == 0) {
        end(current);
      }
    }
    return content + padding;
  }

  private void begin() throws IOException {
    if (isZero(header)) {
      zeroBlocks++;
      return;
    }
    if (zeroBlocks > 0) {
      throw malformed("something follows its end");
    }
    TarMember begun = parse();
    members.begin(begun);
    contentLeft = begun.sizeBytes();
    paddingLeft = (int) (-begun.sizeBytes() & (BLOCK_BYTES - 1));
    member = begun;
    if (contentLeft == 0) {
      end(begun);
    }
  }

  private void end(TarMember ended) throws IOException {
    member = null;
    members.end(ended);
  }

  private TarMember parse() throws IOException {
    requireHeader();
    char type = (char) header[TYPE_OFFSET];
    String path = path();
    long size = size(path);
    boolean isDirectory = type == '5';
    if (!isDirectory && type != '0' && type != 0) {
      throw malformed(
          "%s is of type '%c'; only files and directories may be in it".formatted(path, type));
    }
    if (isDirectory && size != 0) {
      throw malformed("the directory %s has %d bytes of content".formatted(path, size));
    }
    modified = Instant.ofEpochSecond(Math.max(0, octal(TIME_OFFSET, TIME_BYTES)));
    return new TarMember(path, isDirectory, size);
  }

  /** The magic and the sum of the header, its own field counted as blanks. */
  private void requireHeader() throws IOException {
    for (int i = 0; i < MAGIC.length; i++) {
      if (header[MAGIC_OFFSET + i] != MAGIC[i]) {
        throw malformed("a header is not of the form ustar");
      }
    }
    long sum = 0;
    for (int i = 0; i < BLOCK_BYTES; i++) {
      boolean isOwnField = i >= CHECKSUM_OFFSET && i < CHECKSUM_OFFSET + CHECKSUM_BYTES;
      sum += isOwnField ? ' ' : header[i] & 0xff;
    }
    long stored = octal(CHECKSUM_OFFSET, CHECKSUM_BYTES);
    if (sum != stored) {
      throw malformed("the sum of a header is %d, it says %d".formatted(sum, stored));
    }
  }

  private String path() throws IOException {
    String prefix = text(PREFIX_OFFSET, PREFIX_BYTES);
    String name = text(0, NAME_BYTES);
    String path = prefix.isEmpty() ? name : prefix + "/" + name;
    // The server writes ./pg_wal for a directory that it makes up instead of reading it.
    String plain = path.startsWith("./") ? path.substring(2) : path;
    String trimmed = plain.endsWith("/") ? plain.substring(0, plain.length() - 1) : plain;
    for (String part : trimmed.split("/", -1)) {
      if (part.isEmpty() || part.equals(".") || part.equals("..")) {
        throw malformed("the path '%s' is not a plain relative one".formatted(path));
      }
    }
    return trimmed;
  }

  private long size(String path) throws IOException {
    boolean isBase256 = (header[SIZE_OFFSET] & 0x80) != 0;
    long size = isBase256 ? base256() : octal(SIZE_OFFSET, SIZE_BYTES);
    if (size < 0) {
      throw malformed(path + " claims an impossible size");
    }
    return size;
  }

  /** As print_tar_number in src/port/tar.c: a marker byte, then the number, high byte first. */
  private long base256() {
    long value = 0;
    for (int i = SIZE_OFFSET + 1; i < SIZE_OFFSET + SIZE_BYTES; i++) {
      if (value >>> 55 != 0) {
        return -1;
      }
      value = (value << 8) | (header[i] & 0xff);
    }
    return value;
  }

  private long octal(int offset, int length) throws IOException {
    int i = offset;
    int end = offset + length;
    while (i < end && header[i] == ' ') {
      i++;
    }
    long value = 0;
    for (; i < end && header[i] != 0 && header[i] != ' '; i++) {
      if (header[i] < '0' || header[i] > '7') {
        throw malformed("a number of a header is not octal");
      }
      value = (value << 3) | (header[i] - '0');
    }
    return value;
  }

  private String text(int offset, int length) throws IOException {
    int end = offset;
    while (end < offset + length && header[end] != 0) {
      end++;
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(header, offset, end - offset))
          .toString();
    } catch (CharacterCodingException e) {
      throw new BackupException.Corrupt(
          PostgresFailure.NAME_NOT_UTF8,
          "%s: the name '%s' is not UTF-8".formatted(archive, Names.printed(header, offset, end)));
    }
  }

  private static boolean isZero(byte[] block) {
    for (byte b : block) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  private BackupException.Corrupt malformed(String what) {
    return new BackupException.Corrupt(PostgresFailure.TAR_MALFORMED, archive + ": " + what);
  }

  /** Takes what an archive consists of, in its order. */
  public interface Members {
    /** A file or directory begins. */
    void begin(TarMember member) throws IOException;

    /** A piece of the content of the file that began; the bytes are valid during the call. */
    void content(byte[] bytes, int offset, int length) throws IOException;

    /** Its content is complete. */
    void end(TarMember member) throws IOException;
  }
}
