package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.Digest;

class PackNamesTest {
  private static ObjectRef pack(int number, long bytes) {
    byte[] content = ByteBuffer.allocate(4).putInt(number).array();
    return Names.pack("host-a", Digest.ofContent(content), bytes);
  }

  @Test
  void packs_are_numbered_in_their_order_and_each_once() {
    PackNames names = new PackNames("host-a");
    List<ObjectRef> expected = new ArrayList<>();
    Random random = new Random(20261120);
    for (int i = 0; i < 20_000; i++) {
      ObjectRef pack = pack(random.nextInt(5_000), 100);
      int number = names.indexOf(pack);
      if (number < 0) {
        expected.add(pack);
        number = expected.size() - 1;
      }
      assertEquals(number, names.add(pack));
      assertEquals(number, names.indexOf(pack));
    }
    assertEquals(expected.size(), names.size());
    for (int number = 0; number < names.size(); number++) {
      assertEquals(expected.get(number), names.get(number));
    }
    assertEquals(-1, names.indexOf(pack(5_000, 100)));
  }

  @Test
  void a_pack_of_another_length_is_another() {
    PackNames names = new PackNames("host-a");
    assertEquals(0, names.add(pack(1, 100)));
    assertEquals(-1, names.indexOf(pack(1, 101)));
    assertEquals(1, names.add(pack(1, Long.MAX_VALUE)));
    assertEquals(pack(1, Long.MAX_VALUE), names.get(1));
  }

  @Test
  void digests_that_begin_alike_are_told_apart() {
    PackNames names = new PackNames("host-a");
    List<ObjectRef> expected = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      byte[] digest = new byte[32];
      digest[31] = (byte) i;
      expected.add(Names.pack("host-a", Digest.of(digest), 7));
      assertEquals(i, names.add(expected.get(i)));
    }
    for (int i = 0; i < 200; i++) {
      assertEquals(i, names.indexOf(expected.get(i)));
      assertEquals(expected.get(i), names.get(i));
    }
  }
}
