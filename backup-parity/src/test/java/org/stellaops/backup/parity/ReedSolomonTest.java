package org.stellaops.backup.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReedSolomonTest {
  /** The code as {@code docs/format/parity.md} has it, and not a line of the library's. */
  @ParameterizedTest
  @CsvSource({"1, 1", "1, 3", "2, 1", "10, 3", "20, 2", "200, 50"})
  void parity_is_what_the_format_says(int data, int parity) throws Exception {
    byte[][] in = random(data, 333);
    byte[][] out = new byte[parity][333];
    new ReedSolomon(data, parity).encode(in, out);
    for (int p = 0; p < parity; p++) {
      byte[] expected = new byte[333];
      for (int d = 0; d < data; d++) {
        int factor = inverse((data + p) ^ d);
        for (int i = 0; i < expected.length; i++) {
          expected[i] ^= (byte) times(factor, in[d][i] & 0xff);
        }
      }
      assertArrayEquals(expected, out[p], "volume " + p);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "5, 2", "20, 2", "20, 5", "100, 4"})
  void as_many_as_there_is_parity_come_back(int data, int parity) throws Exception {
    Random random = new Random(data * 100L + parity);
    byte[][] in = random(data, 100);
    byte[][] out = new byte[parity][100];
    new ReedSolomon(data, parity).encode(in, out);
    for (int trial = 0; trial < 40; trial++) {
      int count = 1 + random.nextInt(Math.min(data, parity));
      int[] lost = random.ints(0, data).distinct().limit(count).sorted().toArray();
      byte[][] shards = new byte[data + parity][];
      System.arraycopy(in, 0, shards, 0, data);
      for (int l : lost) {
        shards[l] = null;
      }
      int[] used = random.ints(0, parity).distinct().limit(count).toArray();
      for (int u : used) {
        shards[data + u] = out[u];
      }
      byte[][] found = new byte[count][100];
      new ReedSolomon(data, parity).decode(shards, lost, found);
      for (int i = 0; i < count; i++) {
        assertArrayEquals(in[lost[i]], found[i]);
      }
    }
  }

  @Test
  void more_than_the_field_has_is_refused() {
    assertThrows(IllegalArgumentException.class, () -> new ReedSolomon(200, 56));
    assertThrows(IllegalArgumentException.class, () -> new ReedSolomon(0, 1));
    assertEquals(255, ReedSolomon.MAX_SHARDS);
  }

  private static byte[][] random(int count, int length) {
    Random random = new Random(count);
    byte[][] all = new byte[count][];
    for (int i = 0; i < count; i++) {
      all[i] = ToyRepository.random(random, length);
    }
    return all;
  }

  /** In GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1. */
  private static int times(int a, int b) {
    int product = 0;
    for (int bit = 0; bit < 8; bit++) {
      if ((b & 1 << bit) != 0) {
        product ^= a << bit;
      }
    }
    for (int bit = 15; bit >= 8; bit--) {
      if ((product & 1 << bit) != 0) {
        product ^= 0x11d << (bit - 8);
      }
    }
    return product;
  }

  private static int inverse(int a) {
    for (int b = 1; b < 256; b++) {
      if (times(a, b) == 1) {
        return b;
      }
    }
    throw new AssertionError("every element but 0 has an inverse");
  }
}
