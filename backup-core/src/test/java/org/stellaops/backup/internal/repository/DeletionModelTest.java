package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class DeletionModelTest {
  @Test
  void no_order_of_steps_loses_a_snapshot() {
    DeletionModel model = new DeletionModel(true, true);
    assertEquals(Optional.empty(), model.search());
    assertTrue(model.states() > 10_000, "looked at " + model.states());
  }

  @Test
  void without_the_acknowledgement_one_is_lost() {
    assertTrue(new DeletionModel(false, true).search().isPresent());
  }

  @Test
  void without_the_second_look_one_is_lost() {
    assertTrue(new DeletionModel(true, false).search().isPresent());
  }
}
