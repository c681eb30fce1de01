package org.stellaops.backup.internal.pipeline;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.stellaops.backup.spi.FileKey;

/**
 * Content-defined cutting with a Gear hash: {@code h = (h << 1) + table[byte]}, a cut where the top
 * bits are all zero.
 *
 * <p>The table is derived from the writer's id-key, so that cuts, and with them the sizes of
 * chunks, say nothing about known plain text to whoever has no key. Cuts are rarer before the
 * average size and more frequent after it (normalized chunking: Xia et al., "FastCDC", USENIX ATC
 * 2016, section 3.4), which keeps sizes near the average without many forced cuts. Stateless
 * between chunks: a cut depends on the chunk's own bytes only, so equal content finds its cuts
 * again after a difference.
 */
final class Gear {
  static final int MIN_BYTES = 512 << 10;
  static final int AVERAGE_BYTES = 1 << 20;
  static final int MAX_BYTES = PackPipeline.MAX_CHUNK_BYTES;

  /**
   * A 64-bit Gear hash forgets a byte after 64 further ones: what lies further back cannot matter.
   */
  private static final int WINDOW_BYTES = 64;

  private static final long BEFORE_AVERAGE = -1L << (64 - 21);
  private static final long AFTER_AVERAGE = -1L << (64 - 18);

  private final long[] table;
  private long hash;

  private Gear(long[] table) {
    this.table = table;
  }

  static Gear keyed(FileKey chunkIdKey) {
    return new Gear(chunkIdKey.use(Gear::table));
  }

  private static long[] table(byte[] key) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      long[] table = new long[256];
      for (int i = 0; i < table.length; i++) {
        mac.update("stella-backup gear 1".getBytes(StandardCharsets.US_ASCII));
        table[i] = ByteBuffer.wrap(mac.doFinal(new byte[] {(byte) i})).getLong();
      }
      return table;
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every JDK has HmacSHA256 (javax.crypto.Mac)", e);
    }
  }

  /** Another cutter with the same table. */
  Gear fresh() {
    return new Gear(table);
  }

  /**
   * Goes over bytes of the current chunk.
   *
   * @param chunkBytes how many bytes of the chunk came before
   * @return how many of these bytes belong to the chunk if it ends within or behind them, or -1 if
   *     it goes on
   */
  int scan(byte[] bytes, int offset, int length, int chunkBytes) {
    if (chunkBytes == 0) {
      hash = 0;
    }
    int room = Math.min(length, MAX_BYTES - chunkBytes);
    int position = Math.max(0, Math.min(room, MIN_BYTES - WINDOW_BYTES - chunkBytes));
    int warm = Math.max(position, Math.min(room, MIN_BYTES - chunkBytes));
    long h = hash;
    long[] gear = table;
    for (; position < warm; position++) {
      h = (h << 1) + gear[bytes[offset + position] & 0xff];
    }
    int rare = Math.max(position, Math.min(room, AVERAGE_BYTES - chunkBytes));
    for (; position < rare; position++) {
      h = (h << 1) + gear[bytes[offset + position] & 0xff];
      if ((h & BEFORE_AVERAGE) == 0) {
        return position + 1;
      }
    }
    for (; position < room; position++) {
      h = (h << 1) + gear[bytes[offset + position] & 0xff];
      if ((h & AFTER_AVERAGE) == 0) {
        return position + 1;
      }
    }
    hash = h;
    return chunkBytes + room == MAX_BYTES ? room : -1;
  }
}
