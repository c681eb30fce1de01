package org.stellaops.backup.internal.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class OpenPackTest {
  private static final ChunkId ID = new ChunkId(new byte[ChunkId.BYTES]);

  @Test
  void it_takes_frames_up_to_its_size() {
    OpenPack pack = new OpenPack(100);
    pack.start(7);
    assertTrue(pack.hasRoomFor(100));
    assertEquals(new ChunkPlace(7, 0, 60, 500), pack.append(ID, new byte[60], 0, 60, 500));
    assertTrue(pack.hasRoomFor(40));
    assertFalse(pack.hasRoomFor(41));
  }

  @Test
  void it_takes_so_many_chunks_and_no_more_however_small_they_are() {
    OpenPack pack = new OpenPack(1 << 20);
    pack.start(0);
    int chunks = 0;
    while (pack.hasRoomFor(1)) {
      pack.append(ID, new byte[1], 0, 1, 8192);
      chunks++;
    }
    assertEquals(OpenPack.MOST_CHUNKS, chunks);
    pack.start(1);
    assertTrue(pack.hasRoomFor(1), "when it is used again");
  }
}
