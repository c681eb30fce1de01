package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.Digest;

class DigestSetTest {
  private static Digest digest(Random random) {
    byte[] bytes = new byte[32];
    random.nextBytes(bytes);
    // Many that begin alike.
    bytes[6] = 0;
    bytes[7] = (byte) (bytes[7] & 3);
    return Digest.of(bytes);
  }

  @Test
  void it_holds_what_was_added_and_nothing_else() {
    Random random = new Random(1);
    DigestSet set = new DigestSet();
    Set<Digest> model = new HashSet<>();
    for (int i = 0; i < 3000; i++) {
      Digest digest = digest(random);
      assertEquals(model.add(digest), set.add(digest));
      assertFalse(set.add(digest));
    }
    assertEquals(model.size(), set.size());
    Set<Integer> numbers = new HashSet<>();
    for (Digest digest : model) {
      assertTrue(set.contains(digest));
      assertTrue(numbers.add(set.indexOf(digest)));
      assertTrue(set.indexOf(digest) < set.capacity());
    }
    for (int i = 0; i < 3000; i++) {
      Digest other = digest(random);
      assertEquals(model.contains(other), set.contains(other));
    }
    DigestSet copy = new DigestSet();
    copy.addAll(set);
    assertEquals(set.size(), copy.size());
  }
}
