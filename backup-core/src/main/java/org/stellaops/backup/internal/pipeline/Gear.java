package org.stellaops.backup.internal.pipeline;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.stellaops.backup.spi.FileKey;

/**
 * Content-defined cutting with a Gear hash: {@code h = (h << 1) + table[byte]}, a cut where high
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

  /**
   * The bits that must be zero for a cut: below the highest, so that they are all still there, one
   * place further up, when the next byte is on its way.
   */
  private static final long BEFORE_AVERAGE = -1L << (64 - 21) >>> 1;

  private static final long AFTER_AVERAGE = -1L << (64 - 18) >>> 1;

  private final long[] table;
  private final long[] shifted;
  private long hash;

  private Gear(long[] table) {
    this.table = table;
    this.shifted = Arrays.stream(table).map(value -> value << 1).toArray();
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
        mac.update("stella-backup gear 1".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
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
    hash = h;
    int rare = Math.max(position, Math.min(room, AVERAGE_BYTES - chunkBytes));
    int cut = cut(bytes, offset + position, offset + rare, BEFORE_AVERAGE);
    if (cut < 0) {
      cut = cut(bytes, offset + rare, offset + room, AFTER_AVERAGE);
    }
    if (cut >= 0) {
      return cut - offset;
    }
    return chunkBytes + room == MAX_BYTES ? room : -1;
  }

  /**
   * Two bytes a step (Xia et al., "The Design of Fast Content-Defined Chunking", IEEE TPDS 2020,
   * section 3.5): the hash after the first of them is looked at one place further up, so that the
   * second need not wait for it.
   *
   * @return behind the byte at which a cut is, or -1
   */
  private int cut(byte[] bytes, int from, int to, long mask) {
    long[] one = table;
    long[] two = shifted;
    long h = hash;
    int at = from;
    for (; at + 1 < to; at += 2) {
      h = (h << 2) + two[bytes[at] & 0xff];
      if ((h & (mask << 1)) == 0) {
        return at + 1;
      }
      h += one[bytes[at + 1] & 0xff];
      if ((h & mask) == 0) {
        return at + 2;
      }
    }
    if (at < to) {
      h = (h << 1) + one[bytes[at] & 0xff];
      if ((h & mask) == 0) {
        return at + 1;
      }
    }
    hash = h;
    return -1;
  }
}
