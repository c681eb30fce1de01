package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.internal.pipeline.ChunkId;
import org.stellaops.backup.internal.pipeline.ChunkPlace;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;

class ChunkIndexTest {
  private static final int PACKS = 20;
  private static final int CHUNKS = 500;

  private static ChunkId id(int pack, int chunk) {
    byte[] bytes = new byte[ChunkId.BYTES];
    new Random(pack * 100_000L + chunk).nextBytes(bytes);
    return ChunkId.of(bytes);
  }

  private static ObjectRef ref(int pack) {
    return Names.pack("host-a", Digest.ofContent(new byte[] {(byte) pack}), 1000 + pack);
  }

  private static ChunkIndex filled() throws BackupException.Refused {
    ChunkIndex index = new ChunkIndex("host-a");
    for (int pack = 0; pack < PACKS; pack++) {
      assertEquals(pack, index.addPack());
      for (int chunk = 0; chunk < CHUNKS; chunk++) {
        index.add(id(pack, chunk), new ChunkPlace(pack, chunk * 10, 10, 100));
      }
      index.namePack(pack, ref(pack));
    }
    return index;
  }

  private static byte[] written(ChunkIndex index, int firstPack) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    index.write(firstPack, out);
    return out.toByteArray();
  }

  private static ChunkIndex loaded(byte[]... parts) throws IOException {
    ChunkIndex index = new ChunkIndex("host-a");
    for (byte[] part : parts) {
      index.load(new ByteArrayInputStream(part), "the index");
    }
    return index;
  }

  @Test
  void every_chunk_is_found_and_no_other() throws Exception {
    ChunkIndex index = filled();
    assertEquals(PACKS * CHUNKS, index.size());
    for (int pack = 0; pack < PACKS; pack++) {
      for (int chunk = 0; chunk < CHUNKS; chunk++) {
        assertEquals(
            Optional.of(new ChunkPlace(pack, chunk * 10, 10, 100)), index.find(id(pack, chunk)));
      }
    }
    assertEquals(Optional.empty(), index.find(id(PACKS, 0)));
  }

  @Test
  void what_is_written_is_loaded() throws IOException {
    ChunkIndex index = loaded(written(filled(), 0));
    assertEquals(PACKS * CHUNKS, index.size());
    assertEquals(PACKS, index.packCount());
    for (int pack = 0; pack < PACKS; pack++) {
      assertEquals(ref(pack), index.pack(pack));
      assertEquals(
          Optional.of(new ChunkPlace(pack, 4990, 10, 100)), index.find(id(pack, CHUNKS - 1)));
    }
  }

  @Test
  void a_part_holds_the_packs_from_an_ordinal_on() throws IOException {
    ChunkIndex index = loaded(written(filled(), PACKS - 2));
    assertEquals(2, index.packCount());
    assertTrue(index.find(id(PACKS - 3, 0)).isEmpty());
    assertTrue(index.find(id(PACKS - 2, 0)).isPresent());
  }

  @Test
  void chunks_of_packs_that_are_not_there_are_unknown() throws IOException {
    ChunkIndex index = loaded(written(filled(), 0));
    index.keepOnly(ref(3)::equals);
    assertTrue(index.find(id(3, 7)).isPresent());
    assertTrue(index.find(id(5, 7)).isEmpty(), "missing");
  }

  @Test
  void a_chunk_that_stands_in_two_packs_is_found_in_the_one_that_is_there() throws IOException {
    ChunkIndex index = new ChunkIndex("host-a");
    for (int pack = 0; pack < 2; pack++) {
      index.addPack();
      index.add(id(0, 0), new ChunkPlace(pack, 0, 10, 100));
      index.namePack(pack, ref(pack));
    }
    index.keepOnly(ref(1)::equals);
    assertEquals(1, index.find(id(0, 0)).orElseThrow().pack());
  }

  @Test
  void what_is_no_index_is_refused() throws IOException {
    byte[] whole = written(filled(), PACKS - 1);
    int row = ChunkId.BYTES + 8;
    int head = 4 + 32 + 8 + 4;
    assertEquals(head + CHUNKS * row, whole.length);
    for (int length = 0; length < whole.length; length++) {
      if (length != 4) {
        assertMalformed(Arrays.copyOf(whole, length));
      }
    }
    assertMalformed("nothing".getBytes("US-ASCII"));
    assertMalformed(ByteBuffer.wrap(whole.clone()).putLong(36, -1).array());
    assertMalformed(ByteBuffer.wrap(whole.clone()).putInt(44, -1).array());
    assertMalformed(ByteBuffer.wrap(whole.clone()).putInt(44, Integer.MAX_VALUE).array());
    assertMalformed(ByteBuffer.wrap(whole.clone()).putInt(head + 32, 0).array());
    assertMalformed(ByteBuffer.wrap(whole.clone()).putInt(head + 36, -5).array());
    assertMalformed(
        ByteBuffer.wrap(whole.clone())
            .putInt(head + 32, Integer.MAX_VALUE)
            .putInt(head + row + 32, Integer.MAX_VALUE)
            .array());
  }

  private static void assertMalformed(byte[] bytes) {
    var refused = assertThrows(BackupException.Corrupt.class, () -> loaded(bytes));
    assertEquals(CoreFailure.MALFORMED, refused.code());
    assertTrue(refused.getMessage().contains("the index"), refused.getMessage());
  }
}
