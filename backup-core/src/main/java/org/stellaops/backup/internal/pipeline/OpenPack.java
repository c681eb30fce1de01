package org.stellaops.backup.internal.pipeline;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.stellaops.backup.spi.Encryptor;

/**
 * A pack that is being filled: frames, then an index in a skippable frame, then zeros in another
 * one up to a multiple of 64 KiB, so that the size of the pack says little about its content. Byte
 * by byte in {@code docs/format/pack.md}.
 */
final class OpenPack {
  static final int INDEX_MAGIC = 0x184D2A50;
  static final int PADDING_MAGIC = 0x184D2A5F;
  static final byte[] INDEX_NAME = {'S', 'B', 'X', '1'};
  static final int PADDED_TO_BYTES = 64 << 10;
  private static final int SKIPPABLE_HEADER_BYTES = 8;
  private static final int ROW_BYTES = ChunkId.BYTES + 8;

  /** Their rows take 2.5 MiB: chunks that compress to nothing would make that any number. */
  static final int MOST_CHUNKS = 1 << 16;

  private final byte[] frames;
  private int length;
  private ByteBuffer rows = ByteBuffer.allocate(ROW_BYTES * 64).order(ByteOrder.LITTLE_ENDIAN);
  private int ordinal;

  OpenPack(int targetBytes) {
    this.frames = new byte[targetBytes];
  }

  void start(int packOrdinal) {
    ordinal = packOrdinal;
    length = 0;
    rows.clear();
  }

  int ordinal() {
    return ordinal;
  }

  boolean isEmpty() {
    return length == 0;
  }

  boolean hasRoomFor(int frameBytes) {
    return length + frameBytes <= frames.length && rows.position() < MOST_CHUNKS * ROW_BYTES;
  }

  ChunkPlace append(ChunkId id, byte[] from, int offset, int frameBytes, int plainBytes) {
    System.arraycopy(from, offset, frames, length, frameBytes);
    ChunkPlace place = new ChunkPlace(ordinal, length, frameBytes, plainBytes);
    length += frameBytes;
    if (rows.remaining() < ROW_BYTES) {
      rows =
          ByteBuffer.allocate(rows.capacity() * 2).order(ByteOrder.LITTLE_ENDIAN).put(rows.flip());
    }
    byte[] idBytes = new byte[ChunkId.BYTES];
    id.copyTo(idBytes, 0);
    rows.put(idBytes).putInt(frameBytes).putInt(plainBytes);
    return place;
  }

  /** Seals the pack: frames, index, padding. */
  void sealTo(Encryptor.Sealing out) throws IOException {
    out.write(frames, 0, length);
    int indexBytes = INDEX_NAME.length + 4 + rows.position();
    ByteBuffer head =
        ByteBuffer.allocate(SKIPPABLE_HEADER_BYTES + 8).order(ByteOrder.LITTLE_ENDIAN);
    head.putInt(INDEX_MAGIC).putInt(indexBytes).put(INDEX_NAME).putInt(rows.position() / ROW_BYTES);
    out.write(head.array());
    out.write(rows.array(), 0, rows.position());
    out.write(padding(length + SKIPPABLE_HEADER_BYTES + indexBytes));
    out.finish();
  }

  /** A skippable frame of zeros that fills {@code bytes} up to the next multiple of 64 KiB. */
  static byte[] padding(long bytes) {
    int missing =
        (int) (PADDED_TO_BYTES - (bytes + SKIPPABLE_HEADER_BYTES) % PADDED_TO_BYTES)
            % PADDED_TO_BYTES;
    return Arrays.copyOf(
        ByteBuffer.allocate(SKIPPABLE_HEADER_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(PADDING_MAGIC)
            .putInt(missing)
            .array(),
        SKIPPABLE_HEADER_BYTES + missing);
  }
}
