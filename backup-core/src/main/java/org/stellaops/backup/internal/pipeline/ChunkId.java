package org.stellaops.backup.internal.pipeline;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** HMAC-SHA256 of a chunk's plain bytes under the writer's id-key: 32 bytes. */
public final class ChunkId {
  /** Length of an id in bytes. */
  public static final int BYTES = 32;

  private final byte[] bytes;

  ChunkId(byte[] bytes) {
    this.bytes = bytes;
  }

  /** The id with these 32 bytes. */
  public static ChunkId of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("chunk id of " + bytes.length + " bytes");
    }
    return new ChunkId(bytes.clone());
  }

  /** Copies the 32 bytes to {@code to} at {@code offset}. */
  public void copyTo(byte[] to, int offset) {
    System.arraycopy(bytes, 0, to, offset, BYTES);
  }

  /** Whether these are the 32 bytes at {@code offset}. */
  public boolean isAt(byte[] in, int offset) {
    return Arrays.equals(bytes, 0, BYTES, in, offset, offset + BYTES);
  }

  /** Evenly distributed, since an HMAC is. */
  @Override
  public int hashCode() {
    return ByteBuffer.wrap(bytes).getInt();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ChunkId that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public String toString() {
    return HexFormat.of().formatHex(bytes, 0, 8);
  }
}
