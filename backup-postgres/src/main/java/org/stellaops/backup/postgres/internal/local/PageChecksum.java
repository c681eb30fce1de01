package org.stellaops.backup.postgres.internal.local;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The checksum in the header of a page: 32 FNV-1a hashes side by side, each over every 32nd word,
 * folded and mixed with the number of the block, as src/include/storage/checksum_impl.h describes
 * it.
 */
final class PageChecksum {
  static final int PAGE_BYTES = 8192;

  /** N_SUMS. */
  private static final int SUMS = 32;

  /** FNV_PRIME. */
  private static final int PRIME = 16_777_619;

  /** Offsets of pd_checksum and pd_upper in PageHeaderData, src/include/storage/bufpage.h. */
  private static final int CHECKSUM_AT = 8;

  private static final int UPPER_AT = 14;

  /** checksumBaseOffsets. */
  private static final int[] SEEDS = {
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
    0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
    0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
    0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756
  };

  private final int[] sums = new int[SUMS];

  /**
   * Whether a page is as it was written. One that was never used is all zeros.
   *
   * @param page {@link #PAGE_BYTES} from position 0 on
   * @param block its number within the relation, not within the file
   */
  boolean isRight(ByteBuffer page, long block) {
    page.order(ByteOrder.LITTLE_ENDIAN);
    if (page.getShort(UPPER_AT) == 0) {
      return isZero(page);
    }
    return Short.toUnsignedInt(page.getShort(CHECKSUM_AT)) == of(page, block);
  }

  private int of(ByteBuffer page, long block) {
    System.arraycopy(SEEDS, 0, sums, 0, SUMS);
    for (int at = 0; at < PAGE_BYTES; at += SUMS * Integer.BYTES) {
      for (int i = 0; i < SUMS; i++) {
        int word = page.getInt(at + i * Integer.BYTES);
        // The checksum itself counts as zero; beside it are the page's flags.
        mix(i, at == 0 && i == CHECKSUM_AT / Integer.BYTES ? word & 0xFFFF_0000 : word);
      }
    }
    int folded = 0;
    for (int i = 0; i < SUMS; i++) {
      mix(i, 0);
      mix(i, 0);
      folded ^= sums[i];
    }
    return Integer.remainderUnsigned(folded ^ (int) block, 65_535) + 1;
  }

  private void mix(int i, int word) {
    int mixed = sums[i] ^ word;
    sums[i] = mixed * PRIME ^ mixed >>> 17;
  }

  private static boolean isZero(ByteBuffer page) {
    for (int at = 0; at < PAGE_BYTES; at += Long.BYTES) {
      if (page.getLong(at) != 0) {
        return false;
      }
    }
    return true;
  }
}
