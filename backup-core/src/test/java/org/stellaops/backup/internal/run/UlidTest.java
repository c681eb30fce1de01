package org.stellaops.backup.internal.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;

class UlidTest {
  @Test
  void ids_sort_by_time() {
    Random random = new Random(1);
    long millis = Instant.parse("2026-11-20T02:00:00Z").toEpochMilli();
    String before = Ulid.at(Instant.ofEpochMilli(millis), random);
    for (int bit = 0; bit < 40; bit++) {
      String after = Ulid.at(Instant.ofEpochMilli(millis + (1L << bit)), random);
      assertTrue(before.compareTo(after) < 0, before + " " + after);
    }
  }

  /** The time of the tests of github.com/ulid/javascript. */
  @Test
  void the_time_is_as_the_specification_has_it() {
    String id = Ulid.at(Instant.ofEpochMilli(1469918176385L), new Random(1));
    assertEquals("01aryz6s41", id.substring(0, 10));
    assertEquals(26, id.length());
    assertNotEquals(Ulid.at(Instant.EPOCH, new Random(1)), Ulid.at(Instant.EPOCH, new Random(2)));
  }
}
