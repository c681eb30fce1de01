package org.stellaops.backup.internal.pipeline;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * The index at the end of a pack, for who has opened it: which chunk each of its frames holds.
 * Every row is compared with the frame that it stands for, and nothing may be left over. Byte by
 * byte in {@code docs/format/pack.md}.
 */
public final class PackIndex {
  private static final int HEADER_BYTES = 8;
  private static final int ROW_BYTES = ChunkId.BYTES + 8;

  private final byte[] pack;
  private final ByteBuffer plain;
  private final String what;
  private final int firstRow;
  private final int count;

  private PackIndex(byte[] pack, ByteBuffer plain, String what, int firstRow, int count) {
    this.pack = pack;
    this.plain = plain;
    this.what = what;
    this.firstRow = firstRow;
    this.count = count;
  }

  /** Takes the chunks of a pack in the order in which they stand there. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * Takes one.
     *
     * @param id 32 bytes, which will hold another id after this
     * @param storedBytes of its frame
     * @param plainBytes of the chunk
     */
    void chunk(byte[] id, int storedBytes, int plainBytes) throws IOException;
  }

  /**
   * Finds the index of a pack.
   *
   * @param pack holds its plain bytes, and is not changed as long as this is in use
   * @param length how many they are
   * @param what it is, for messages
   * @throws BackupException.Corrupt MALFORMED
   */
  public static PackIndex of(byte[] pack, int length, String what) throws IOException {
    ByteBuffer plain = ByteBuffer.wrap(pack, 0, length).order(ByteOrder.LITTLE_ENDIAN);
    int frames = 0;
    int at = 0;
    while (magic(plain, at, what) != OpenPack.INDEX_MAGIC) {
      at += Frames.frameAt(pack, at, length, what).storedBytes();
      frames++;
    }
    int bytes = skippable(plain, at, what);
    int name = at + HEADER_BYTES;
    int firstRow = name + OpenPack.INDEX_NAME.length + Integer.BYTES;
    boolean isIndex =
        bytes == firstRow - name + (long) frames * ROW_BYTES
            && Arrays.equals(
                pack,
                name,
                name + OpenPack.INDEX_NAME.length,
                OpenPack.INDEX_NAME,
                0,
                OpenPack.INDEX_NAME.length)
            && plain.getInt(firstRow - Integer.BYTES) == frames;
    if (!isIndex) {
      throw malformed(what, at, "no index of its %d frames".formatted(frames));
    }
    PackIndex index = new PackIndex(pack, plain, what, firstRow, frames);
    index.requirePaddingAndNoMore(name + bytes);
    index.requireRows();
    return index;
  }

  private static int magic(ByteBuffer plain, int at, String what) throws IOException {
    if (plain.limit() - at < HEADER_BYTES) {
      throw malformed(what, at, "the pack ends without an index");
    }
    return plain.getInt(at);
  }

  /** How many bytes a skippable frame holds, all of which are there. */
  private static int skippable(ByteBuffer plain, int at, String what) throws IOException {
    int bytes = plain.getInt(at + Integer.BYTES);
    if (bytes < 0 || bytes > plain.limit() - at - HEADER_BYTES) {
      throw malformed(what, at, "a frame that ends behind the pack");
    }
    return bytes;
  }

  private void requirePaddingAndNoMore(int end) throws IOException {
    boolean isPadding =
        magic(plain, end, what) == OpenPack.PADDING_MAGIC
            && end + HEADER_BYTES + skippable(plain, end, what) == plain.limit();
    if (!isPadding) {
      throw malformed(what, end, "something that is no padding behind the index");
    }
  }

  private void requireRows() throws IOException {
    int at = 0;
    for (int i = 0; i < count; i++) {
      Frames.Stretch frame = Frames.frameAt(pack, at, plain.limit(), what);
      if (stored(i) != frame.storedBytes() || plain(i) != frame.plainBytes()) {
        throw malformed(what, at, "a frame that is not as the index says");
      }
      at += frame.storedBytes();
    }
  }

  private int stored(int row) {
    return plain.getInt(firstRow + row * ROW_BYTES + ChunkId.BYTES);
  }

  private int plain(int row) {
    return plain.getInt(firstRow + row * ROW_BYTES + ChunkId.BYTES + Integer.BYTES);
  }

  /** How many chunks the pack holds. */
  public int count() {
    return count;
  }

  /** Hands over every chunk. */
  public void forEach(Visitor visitor) throws IOException {
    byte[] id = new byte[ChunkId.BYTES];
    for (int i = 0; i < count; i++) {
      plain.get(firstRow + i * ROW_BYTES, id);
      visitor.chunk(id, stored(i), plain(i));
    }
  }

  private static BackupException malformed(String what, int at, String found) {
    return new BackupException.Corrupt(
        CoreFailure.MALFORMED, "%s at byte %d: %s".formatted(what, at, found));
  }
}
