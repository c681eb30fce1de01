package org.stellaops.backup.internal.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.FileKey;

class CutterTest {
  private static final int BLOCK = 64 << 10;
  private static final int LARGE = 256 << 10;

  private static Gear gear(int key) {
    byte[] bytes = new byte[32];
    bytes[0] = (byte) key;
    return Gear.keyed(FileKey.of(bytes));
  }

  private static CollectedChunks cut(Cutter cutter, byte[] bytes, int step) throws IOException {
    CollectedChunks chunks = new CollectedChunks();
    for (int at = 0; at < bytes.length; at += step) {
      cutter.write(bytes, at, Math.min(step, bytes.length - at), chunks);
    }
    cutter.end(chunks);
    assertArrayEquals(bytes, chunks.joined());
    return chunks;
  }

  private static byte[] random(int seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  @Test
  void cuts_do_not_depend_on_how_the_bytes_arrive() throws IOException {
    byte[] bytes = random(1, 8 << 20);
    List<Integer> whole = cut(new ContentCutter(gear(1)), bytes, bytes.length).lengths();
    assertTrue(whole.size() > 4, whole.toString());
    for (int step : new int[] {1, 63, 64, 65, 4096, 524_287, 1 << 20}) {
      assertEquals(whole, cut(new ContentCutter(gear(1)), bytes, step).lengths(), "step " + step);
    }
  }

  @Test
  void sizes_are_near_the_average_and_never_beyond_the_bounds() throws IOException {
    List<Integer> lengths = cut(new ContentCutter(gear(2)), random(2, 96 << 20), 1 << 20).lengths();
    for (int length : lengths.subList(0, lengths.size() - 1)) {
      assertTrue(length >= Gear.MIN_BYTES && length <= Gear.MAX_BYTES, "a chunk of " + length);
    }
    int average = (96 << 20) / lengths.size();
    assertTrue(average > 800 << 10 && average < 1300 << 10, "average " + average);
  }

  @Test
  void bytes_that_never_cut_are_cut_at_the_bound() throws IOException {
    List<Integer> lengths = cut(new ContentCutter(gear(3)), new byte[5 << 20], 100_000).lengths();
    assertEquals(List.of(2 << 20, 2 << 20, 1 << 20), lengths);
  }

  @Test
  void behind_an_insertion_the_cuts_are_found_again() throws IOException {
    byte[] bytes = random(4, 32 << 20);
    byte[] inserted =
        join(
            Arrays.copyOf(bytes, 5000),
            new byte[] {7},
            Arrays.copyOfRange(bytes, 5000, bytes.length));
    List<Digest> before = cut(new ContentCutter(gear(4)), bytes, 1 << 20).digests();
    HashSet<Digest> fresh =
        new HashSet<>(cut(new ContentCutter(gear(4)), inserted, 1 << 20).digests());
    before.forEach(fresh::remove);
    assertTrue(fresh.size() <= 2, "%d of %d chunks are new".formatted(fresh.size(), before.size()));
  }

  @Test
  void another_key_cuts_elsewhere() throws IOException {
    byte[] bytes = random(5, 16 << 20);
    assertNotEquals(
        cut(new ContentCutter(gear(5)), bytes, 1 << 20).lengths(),
        cut(new ContentCutter(gear(6)), bytes, 1 << 20).lengths());
  }

  @Test
  void blocks_are_of_one_size_but_for_the_last() throws IOException {
    assertEquals(List.of(100, 100, 50), cut(new FixedCutter(100), random(6, 250), 33).lengths());
    assertEquals(List.of(100, 100), cut(new FixedCutter(100), random(6, 200), 1000).lengths());
    assertEquals(List.of(), cut(new FixedCutter(100), new byte[0], 1).lengths());
  }

  /** A ustar header with its checksum (POSIX.1-2017 pax). */
  private static byte[] header(String name, long size, int mtime) {
    return header(name, "%011o\0".formatted(size).getBytes(StandardCharsets.US_ASCII), mtime);
  }

  private static byte[] header(String name, byte[] size, int mtime) {
    byte[] header = new byte[512];
    put(header, 0, name);
    System.arraycopy(size, 0, header, 124, size.length);
    put(header, 136, "%011o\0".formatted(mtime));
    put(header, 148, "        ");
    put(header, 257, "ustar\00000");
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    put(header, 148, "%06o\0 ".formatted(sum));
    return header;
  }

  private static void put(byte[] into, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, into, at, bytes.length);
  }

  private static byte[] padded(byte[] content) {
    return Arrays.copyOf(content, (content.length + 511) / 512 * 512);
  }

  private static TarCutter tarCutter() {
    return new TarCutter(gear(9), BLOCK);
  }

  private static byte[] tar(int mtime, byte[] large, byte[] after) {
    return join(
        header("small", 100, mtime),
        padded(random(10, 100)),
        header("large", large.length, mtime),
        padded(large),
        header("after", after.length, mtime),
        padded(after),
        new byte[1024]);
  }

  @Test
  void a_large_member_begins_a_chunk_and_is_cut_in_blocks() throws IOException {
    byte[] large = random(11, 3 * BLOCK + LARGE + 700);
    for (int step : new int[] {1, 511, 512, 513, 100_000, 10_000_000}) {
      List<Integer> lengths = cut(tarCutter(), tar(1, large, random(12, 2000)), step).lengths();
      assertEquals(512 + 512 + 512, lengths.get(0), "headers and what is small, step " + step);
      assertEquals(
          List.of(BLOCK, BLOCK, BLOCK, BLOCK, BLOCK, BLOCK, BLOCK, 1024),
          lengths.subList(1, 9),
          "step " + step);
      assertEquals(10, lengths.size());
    }
  }

  @Test
  void a_changed_mtime_or_block_costs_what_it_touches() throws IOException {
    byte[] large = random(13, LARGE + 8 * BLOCK);
    byte[] after = random(14, 2000);
    HashSet<Digest> mtime = new HashSet<>(cut(tarCutter(), tar(2, large, after), 4096).digests());
    List<Digest> before = cut(tarCutter(), tar(1, large, after), 4096).digests();
    before.forEach(mtime::remove);
    assertEquals(2, mtime.size(), "the chunks with headers");
    byte[] changed = large.clone();
    changed[3 * BLOCK + 5]++;
    HashSet<Digest> block = new HashSet<>(cut(tarCutter(), tar(1, changed, after), 4096).digests());
    before.forEach(block::remove);
    assertEquals(1, block.size());
  }

  @Test
  void a_size_in_base_256_is_understood() throws IOException {
    byte[] large = random(15, LARGE);
    byte[] size = new byte[12];
    size[0] = (byte) 0x80;
    size[9] = (byte) (LARGE >> 16);
    byte[] tar = join(header("large", size, 1), large, new byte[1024]);
    assertEquals(
        List.of(512, BLOCK, BLOCK, BLOCK, BLOCK, 1024), cut(tarCutter(), tar, 5000).lengths());
  }

  @Test
  void what_is_no_tar_or_lies_about_sizes_is_cut_all_the_same() throws IOException {
    byte[] huge = new byte[12];
    Arrays.fill(huge, (byte) 0xff);
    byte[] huger = huge.clone();
    huger[4] = 0x7f;
    byte[] wrongSum = header("x", 5, 1);
    wrongSum[0] = 'y';
    for (byte[] start :
        List.of(
            new byte[0],
            new byte[100],
            random(16, 511),
            header("negative", huge, 1),
            header("beyond", huger, 1),
            header("no octal", "99999999999\0".getBytes(StandardCharsets.US_ASCII), 1),
            header("longer than all", 1L << 32, 1),
            wrongSum)) {
      byte[] bytes = join(start, random(17, 3 << 20));
      assertArrayEquals(bytes, cut(tarCutter(), bytes, 100_000).joined());
    }
  }
}
