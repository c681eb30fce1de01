package org.stellaops.backup.engine;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.spi.Form;

/**
 * A source that is many chunks and little to compute: a tar of one file, cut at 8 KiB, of which a
 * quarter does not compress.
 */
final class ManyChunks {
  static final int BLOCK_BYTES = 8 << 10;
  private static final int NOISE_BYTES = 2 << 10;
  private static final int RECORD_BYTES = 512;

  private ManyChunks() {}

  /** So many, of which no two are alike, and none is of another seed. */
  static ScriptedSource of(int seed, int chunks) {
    return ScriptedSource.capturing(
        session -> {
          session.artifact(
              ArtifactName.of("table.tar"), Form.BLOCKS, out -> write(seed, chunks, out));
          session.captured(InventoryItem.of("blocks", chunks, (long) chunks * BLOCK_BYTES));
        });
  }

  /** The tar. */
  static void write(int seed, int chunks, OutputStream out) throws IOException {
    out.write(header((long) chunks * BLOCK_BYTES));
    byte[] block = new byte[BLOCK_BYTES];
    byte[] noise = new byte[NOISE_BYTES];
    for (int i = 0; i < chunks; i++) {
      new Random(seed * 1_000_003L + i).nextBytes(noise);
      System.arraycopy(noise, 0, block, 0, noise.length);
      out.write(block);
    }
    out.write(new byte[2 * RECORD_BYTES]);
  }

  /** As POSIX.1-2017 pax has it, "ustar Interchange Format". */
  private static byte[] header(long bytes) {
    byte[] header = new byte[RECORD_BYTES];
    put(header, 0, "table");
    put(header, 100, "0000644\0000000000\0000000000\0");
    put(header, 124, "%011o ".formatted(bytes));
    put(header, 136, "00000000000 ");
    Arrays.fill(header, 148, 156, (byte) ' ');
    put(header, 156, "0");
    put(header, 257, "ustar\00000");
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    put(header, 148, "%06o\0 ".formatted(sum));
    return header;
  }

  private static void put(byte[] header, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, header, at, bytes.length);
  }
}
