package org.stellaops.backup.postgres.internal.restore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.Digest;

class BesideDigestTest {
  private static final int MIB = 1 << 20;

  private final ExecutorService pool = Executors.newFixedThreadPool(2);
  private final byte[] bytes = new byte[5 * MIB];

  BesideDigestTest() {
    new Random(1).nextBytes(bytes);
  }

  @AfterEach
  void stop() {
    pool.shutdownNow();
  }

  @Test
  void contents_of_any_length_in_pieces_of_any_length_have_their_digest() {
    try (BesideDigest digest = new BesideDigest(pool)) {
      for (int length : new int[] {0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, 5 * MIB}) {
        for (int piece : new int[] {8192, 700_001, 3 * MIB}) {
          digest.reset();
          byte[] reused = new byte[piece];
          for (int at = 0; at < length; at += piece) {
            int n = Math.min(piece, length - at);
            System.arraycopy(bytes, at, reused, 0, n);
            digest.update(reused, 0, n);
          }
          Digest expected = Digest.ofContent(Arrays.copyOf(bytes, length));
          assertEquals(expected, digest.digest(), length + " in " + piece);
        }
      }
    }
  }

  @Test
  void what_was_left_half_read_is_no_part_of_the_next() {
    try (BesideDigest digest = new BesideDigest(pool)) {
      digest.update(bytes, 0, 2 * MIB + 5);
      digest.reset();
      digest.update(bytes, 0, 7);
      assertEquals(Digest.ofContent(Arrays.copyOf(bytes, 7)), digest.digest());
      assertNotEquals(Digest.ofContent(Arrays.copyOf(bytes, 7)), digest.digest());
    }
  }
}
