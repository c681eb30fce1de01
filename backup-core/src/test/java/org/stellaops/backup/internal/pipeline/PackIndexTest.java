package org.stellaops.backup.internal.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/** The index of a pack, made here byte by byte as {@code docs/format/pack.md} says. */
class PackIndexTest {
  private static final List<String> CHUNKS = List.of("one", "another chunk", "three");
  private static final int PADDED_TO = 64 << 10;

  private static byte[] id(int chunk) {
    byte[] id = new byte[32];
    Arrays.fill(id, (byte) (chunk + 1));
    return id;
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** What a test makes wrong. */
  private int countOff;

  private int plainOff;
  private byte[] behind = new byte[0];

  private byte[] pack() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteBuffer rows = little(CHUNKS.size() * 40);
    for (int i = 0; i < CHUNKS.size(); i++) {
      byte[] plain = CHUNKS.get(i).getBytes(StandardCharsets.UTF_8);
      byte[] frame = Zstd.compress(plain);
      out.writeBytes(frame);
      rows.put(id(i)).putInt(frame.length).putInt(plain.length + plainOff);
    }
    int indexBytes = 4 + 4 + rows.capacity();
    out.writeBytes(
        little(16)
            .putInt(0x184D2A50)
            .putInt(indexBytes)
            .put("SBX1".getBytes(StandardCharsets.US_ASCII))
            .putInt(CHUNKS.size() + countOff)
            .array());
    out.writeBytes(rows.array());
    int missing = PADDED_TO - out.size() - 8;
    out.writeBytes(little(8 + missing).putInt(0x184D2A5F).putInt(missing).array());
    out.writeBytes(behind);
    return out.toByteArray();
  }

  private static void assertMalformed(byte[] pack) {
    var corrupt =
        assertThrows(
            BackupException.Corrupt.class, () -> PackIndex.of(pack, pack.length, "a pack"));
    assertEquals(CoreFailure.MALFORMED, corrupt.code());
  }

  @Test
  void it_names_every_chunk_in_order() throws IOException {
    byte[] pack = pack();
    List<String> found = new ArrayList<>();
    PackIndex index = PackIndex.of(pack, pack.length, "a pack");
    index.forEach((id, stored, plain) -> found.add(id[0] + " " + plain));
    assertEquals(3, index.count());
    assertEquals(List.of("1 3", "2 13", "3 5"), found);
  }

  @Test
  void one_that_counts_other_frames_is_refused() {
    countOff = 1;
    assertMalformed(pack());
    countOff = -1;
    assertMalformed(pack());
  }

  @Test
  void one_that_says_other_lengths_is_refused() {
    plainOff = 1;
    assertMalformed(pack());
  }

  @Test
  void nothing_may_stand_behind_the_padding() {
    behind = new byte[] {0};
    assertMalformed(pack());
  }

  @Test
  void one_that_is_cut_off_is_refused_wherever_it_is() {
    byte[] pack = pack();
    for (int length = 0; length < pack.length; length += length < 400 ? 1 : 9973) {
      assertMalformed(Arrays.copyOf(pack, length));
    }
  }

  @Test
  void a_flipped_bit_in_what_is_no_id_never_gives_other_lengths() throws IOException {
    byte[] good = pack();
    for (int at = 0; at < 300; at++) {
      byte[] bad = good.clone();
      bad[at] ^= 4;
      try {
        PackIndex.of(bad, bad.length, "a pack")
            .forEach((id, stored, plain) -> assertEquals(plain, plain(id, plain)));
      } catch (BackupException.Corrupt e) {
        assertEquals(CoreFailure.MALFORMED, e.code());
      }
    }
  }

  /** What a chunk has that one of the test's own ids names; of another id anything. */
  private static int plain(byte[] id, int otherwise) {
    for (int i = 0; i < CHUNKS.size(); i++) {
      if (Arrays.equals(id, id(i))) {
        return CHUNKS.get(i).length();
      }
    }
    return otherwise;
  }
}
