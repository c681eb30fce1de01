package org.stellaops.backup.postgres;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A zstd frame of blocks that are not compressed, without a checksum, as PostgreSQL's have none
 * (RFC 8878, section 3.1.1).
 */
final class RawFrame {
  private static final int BLOCK_BYTES = 5000;
  private static final int RESERVED = 3;
  private static final int HEADER_BYTES = 6;

  private RawFrame() {}

  /** A frame with a window of 512 KiB, as the lowest level has it. */
  static byte[] of(byte[] plain) {
    return of(plain, 19);
  }

  /** A frame with a window of another power of two. */
  static byte[] of(byte[] plain, int windowLog) {
    ByteArrayOutputStream frame = new ByteArrayOutputStream();
    frame.writeBytes(
        ByteBuffer.allocate(HEADER_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(0xfd2fb528)
            .put((byte) 0)
            .put((byte) (windowLog - 10 << 3))
            .array());
    for (int at = 0; at < plain.length; at += BLOCK_BYTES) {
      int length = Math.min(BLOCK_BYTES, plain.length - at);
      int header = length << 3 | (at + length == plain.length ? 1 : 0);
      frame.write(header);
      frame.write(header >> 8);
      frame.write(header >> 16);
      frame.write(plain, at, length);
    }
    return frame.toByteArray();
  }

  /** The same frame, with a first block of a kind that there is not. */
  static byte[] damaged(byte[] frame) {
    byte[] damaged = frame.clone();
    damaged[HEADER_BYTES] |= RESERVED << 1;
    return damaged;
  }
}
