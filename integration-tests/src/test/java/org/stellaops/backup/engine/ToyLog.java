package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.Optional;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.spi.ArtifactBody;

/** A made-up endless history: every byte of every branch can be computed, and has a second. */
final class ToyLog {
  static final String LINEAGE = "system-1";
  static final Instant BEGIN = Instant.parse("2026-11-20T00:00:00Z");
  private static final int BLOCK_BYTES = 64 << 10;

  private ToyLog() {}

  static Position at(long branch, long offset) {
    return new Position(LINEAGE, branch, offset, "0/" + Long.toHexString(offset));
  }

  static Instant time(long offset) {
    return BEGIN.plusSeconds(offset);
  }

  static SliceSpan span(long branch, long from, long to) {
    return new SliceSpan(
        at(branch, from), at(branch, to), Optional.of(time(from)), Optional.of(time(to)));
  }

  private static byte[] bytes(long branch, long from, int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      long place = from + i;
      long word = mixed(branch * 0x9e3779b97f4a7c15L + (place >>> 3));
      bytes[i] = (byte) (word >>> (8 * (place & 7)));
    }
    return bytes;
  }

  /** The finalizer of MurmurHash3. */
  private static long mixed(long seed) {
    long z = (seed ^ (seed >>> 33)) * 0xff51afd7ed558ccdL;
    z = (z ^ (z >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return z ^ (z >>> 33);
  }

  /** Compares block by block, up to the end. */
  static void assertIs(SliceSpan span, InputStream in) throws IOException {
    long at = span.from().offset();
    while (at != span.to().offset()) {
      int count = (int) Math.min(BLOCK_BYTES, span.to().offset() - at);
      byte[] expected = bytes(span.from().branch(), at, count);
      assertArrayEquals(expected, in.readNBytes(count), span + " from " + at);
      at += count;
    }
    assertEquals(-1, in.read(), span.toString());
  }

  /** Writes it block by block. */
  static ArtifactBody body(SliceSpan span) {
    return out -> {
      long at = span.from().offset();
      while (at != span.to().offset()) {
        int count = (int) Math.min(BLOCK_BYTES, span.to().offset() - at);
        out.write(bytes(span.from().branch(), at, count));
        at += count;
      }
    };
  }
}
