package org.stellaops.backup.postgres.internal.increment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresFailure;

class IncrementalHeaderTest {
  private static final int MAGIC = 0xd3ae1f0d;

  @Test
  void blocks_and_lengths_are_read_from_pieces_of_any_size() throws Exception {
    byte[] file = file(MAGIC, 3, 5, 0, 4, 9);
    for (int piece = 1; piece <= 8192; piece = piece * 3 + 1) {
      IncrementalHeader header = new IncrementalHeader("base/5/INCREMENTAL.1", 4 * 8192);
      int taken = 0;
      while (!header.isComplete()) {
        taken += header.accept(file, taken, Math.min(piece, file.length - taken));
      }

      assertEquals(8192, taken);
      assertEquals(3, header.count());
      assertEquals(4, header.block(1));
      assertEquals(5, header.truncationBlocks());
      assertEquals(10, header.wholeBlocks());
    }
  }

  @Test
  void a_file_without_blocks_has_no_padding() throws Exception {
    IncrementalHeader header = read(12, MAGIC, 0, 7);

    assertTrue(header.isComplete());
    assertEquals(7, header.wholeBlocks());
  }

  @Test
  void a_truncation_length_beyond_a_segment_means_its_end() throws Exception {
    assertEquals(131_072, read(12, MAGIC, 0, 131_073).truncationBlocks());
    assertEquals(131_072, read(12, MAGIC, 0, -1).truncationBlocks());
  }

  @Test
  void a_whole_segment_of_blocks_is_the_most_there_can_be() throws Exception {
    int[] all = new int[3 + 131_072];
    all[0] = MAGIC;
    all[1] = 131_072;
    for (int i = 0; i < 131_072; i++) {
      all[3 + i] = i;
    }

    IncrementalHeader header = read(532_480 + 131_072 * 8192L, all);

    assertEquals(131_072, header.wholeBlocks());
  }

  @Test
  void what_no_server_writes_is_refused() {
    refused(11, MAGIC, 0, 0);
    refused(12, MAGIC + 1, 0, 0);
    refused(8192, MAGIC, 0, 0);
    refused(12, MAGIC, 1, 0);
    refused(8192, MAGIC, 1, 0, 0);
    refused(16_384 + 1, MAGIC, 1, 0, 0);
    refused(16_384, MAGIC, -1, 0, 0);
    refused(16_384, MAGIC, 131_073, 0, 0);
    refused(536_576 + 131_073 * 8192L, MAGIC, 131_073, 0);
    refused(3 * 8192, MAGIC, 2, 0, 4, 4);
    refused(3 * 8192, MAGIC, 2, 0, 4, 3);
    refused(2 * 8192, MAGIC, 1, 0, 131_072);
    refused(2 * 8192, MAGIC, 1, 0, -1);
  }

  @Test
  void only_files_of_relations_are_incremental() {
    for (String whole :
        new String[] {
          "base/5/1259",
          "base/5/1259.1",
          "base/5/1259_vm",
          "global/1260",
          "pg_tblspc/9/PG_17_2/5/7.3"
        }) {
      assertEquals(Optional.of(whole), IncrementalPath.whole(IncrementalPath.changed(whole)));
      assertFalse(IncrementalPath.whole(whole).isPresent(), whole);
    }
    for (String other :
        new String[] {
          "INCREMENTAL.1",
          "base/INCREMENTAL.1",
          "pg_wal/INCREMENTAL.1",
          "base/5/INCREMENTAL.x",
          "base/5/INCREMENTAL.1/2",
          "pg_tblspc/9/INCREMENTAL.1"
        }) {
      assertFalse(IncrementalPath.whole(other).isPresent(), other);
    }
  }

  private static void refused(long fileBytes, int... numbers) {
    var e = assertThrows(BackupException.Corrupt.class, () -> read(fileBytes, numbers));
    assertEquals(PostgresFailure.INCREMENT_MALFORMED, e.code());
  }

  private static IncrementalHeader read(long fileBytes, int... numbers)
      throws BackupException.Corrupt {
    IncrementalHeader header = new IncrementalHeader("base/5/INCREMENTAL.1", fileBytes);
    byte[] file = file(numbers);
    header.accept(file, 0, (int) Math.min(file.length, fileBytes));
    return header;
  }

  /** Numbers, and zeros up to a whole block. */
  private static byte[] file(int... numbers) {
    int bytes = (numbers.length * 4 + 8191) / 8192 * 8192;
    ByteBuffer file = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int number : numbers) {
      file.putInt(number);
    }
    return file.array();
  }
}
