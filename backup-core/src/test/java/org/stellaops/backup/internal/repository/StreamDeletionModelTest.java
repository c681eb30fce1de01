package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class StreamDeletionModelTest {
  @Test
  void no_order_of_steps_loses_what_a_source_was_told_is_durable() {
    assertNothingIsLost(2, 3, 10_000);
  }

  @Test
  @Tag("soak")
  void nor_does_any_order_of_more_steps() {
    assertNothingIsLost(3, 4, 1_000_000);
  }

  private static void assertNothingIsLost(int objects, int said, int states) {
    StreamDeletionModel model = new StreamDeletionModel(objects, said, true, true);
    assertEquals(Optional.empty(), model.search());
    assertTrue(model.states() > states, "looked at " + model.states());
  }

  @Test
  void without_another_look_behind_the_first_entry_it_is_lost() {
    assertTrue(new StreamDeletionModel(2, 3, false, true).search().isPresent());
  }

  @Test
  void without_a_doubt_of_the_first_entry_it_is_lost() {
    assertTrue(new StreamDeletionModel(2, 3, true, false).search().isPresent());
  }
}
