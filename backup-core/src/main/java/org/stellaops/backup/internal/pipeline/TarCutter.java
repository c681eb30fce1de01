package org.stellaops.backup.internal.pipeline;

import java.io.IOException;

/**
 * Cuts a tar of database files. A member of {@link #LARGE_BYTES} or more begins a chunk after its
 * header, is cut at the block size, and ends at its padding; headers and small members between are
 * cut by content. So a changed mtime costs one small chunk, and a changed block costs one block.
 *
 * <p>Reads sizes out of POSIX ustar headers (POSIX.1-2017 pax, "ustar Interchange Format", and
 * GNU's base-256 sizes). What is no tar is cut by content: boundaries are the writer's affair, and
 * a wrong guess costs space, never truth.
 */
final class TarCutter implements Cutter {
  static final long LARGE_BYTES = 256 << 10;
  private static final int RECORD_BYTES = 512;
  private static final int SIZE_OFFSET = 124;
  private static final int SIZE_BYTES = 12;
  private static final int CHECKSUM_OFFSET = 148;
  private static final int CHECKSUM_BYTES = 8;

  private final Cutter content;
  private final Cutter blocks;
  private final byte[] header = new byte[RECORD_BYTES];
  private int headerBytes;
  private long memberLeft;
  private boolean isLarge;
  private boolean isTar = true;

  TarCutter(Gear gear, int blockBytes) {
    this.content = new ContentCutter(gear);
    this.blocks = new FixedCutter(blockBytes);
  }

  @Override
  public void write(byte[] bytes, int offset, int length, Chunks chunks) throws IOException {
    int at = offset;
    int left = length;
    while (left > 0) {
      int taken = step(bytes, at, left, chunks);
      at += taken;
      left -= taken;
    }
  }

  private int step(byte[] bytes, int at, int left, Chunks chunks) throws IOException {
    if (!isTar) {
      content.write(bytes, at, left, chunks);
      return left;
    }
    return memberLeft > 0 ? member(bytes, at, left, chunks) : header(bytes, at, left, chunks);
  }

  private int member(byte[] bytes, int at, int left, Chunks chunks) throws IOException {
    int taken = (int) Math.min(left, memberLeft);
    (isLarge ? blocks : content).write(bytes, at, taken, chunks);
    memberLeft -= taken;
    if (memberLeft == 0 && isLarge) {
      chunks.end();
    }
    return taken;
  }

  private int header(byte[] bytes, int at, int left, Chunks chunks) throws IOException {
    int taken = Math.min(left, RECORD_BYTES - headerBytes);
    System.arraycopy(bytes, at, header, headerBytes, taken);
    content.write(bytes, at, taken, chunks);
    headerBytes += taken;
    if (headerBytes == RECORD_BYTES) {
      headerBytes = 0;
      startMember(chunks);
    }
    return taken;
  }

  private void startMember(Chunks chunks) throws IOException {
    if (isZero()) {
      return;
    }
    long size = size();
    isTar = size >= 0 && isChecksumRight();
    if (!isTar) {
      return;
    }
    memberLeft = (size + RECORD_BYTES - 1) / RECORD_BYTES * RECORD_BYTES;
    isLarge = size >= LARGE_BYTES;
    if (isLarge) {
      chunks.end();
    }
  }

  private boolean isZero() {
    for (byte b : header) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  private boolean isChecksumRight() {
    long sum = 0;
    for (int i = 0; i < RECORD_BYTES; i++) {
      boolean isChecksum = i >= CHECKSUM_OFFSET && i < CHECKSUM_OFFSET + CHECKSUM_BYTES;
      sum += isChecksum ? ' ' : header[i] & 0xff;
    }
    return sum == octal(CHECKSUM_OFFSET, CHECKSUM_BYTES);
  }

  private long size() {
    boolean isBase256 = (header[SIZE_OFFSET] & 0x80) != 0;
    return isBase256 ? base256() : octal(SIZE_OFFSET, SIZE_BYTES);
  }

  private long base256() {
    long value = 0;
    for (int i = SIZE_OFFSET + SIZE_BYTES - 8; i < SIZE_OFFSET + SIZE_BYTES; i++) {
      value = (value << 8) | (header[i] & 0xff);
    }
    return value > Long.MAX_VALUE - RECORD_BYTES ? -1 : value;
  }

  private long octal(int offset, int length) {
    long value = 0;
    int digits = 0;
    for (int i = offset; i < offset + length; i++) {
      int digit = header[i] - '0';
      if (digit >= 0 && digit < 8) {
        value = (value << 3) | digit;
        digits++;
      } else if (header[i] != ' ' && header[i] != 0) {
        return -1;
      } else if (digits > 0) {
        return value;
      }
    }
    return digits == 0 ? -1 : value;
  }
}
