package org.stellaops.backup.internal.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.SourceName;

class SelectionTest {
  private static final List<String> ALL =
      List.of("database/main", "database/audit", "config/files", "secrets/config");

  private final Selection<String> selection =
      new Selection<>(
          ALL,
          p -> SourceName.of(p.substring(p.indexOf('/') + 1)),
          p -> Component.of(p.substring(0, p.indexOf('/'))));

  @Test
  void nothing_said_means_everything() throws BackupException {
    assertEquals(ALL, selection.of(List.of()));
  }

  @Test
  void a_source_a_component_or_both_select_in_the_order_of_all() throws BackupException {
    assertEquals(List.of("database/audit"), selection.of(List.of("audit")));
    assertEquals(
        List.of("database/main", "secrets/config"),
        selection.of(List.of("secrets", "database/main", "secrets/config")));
  }

  @Test
  void the_name_of_a_source_goes_before_that_of_a_component() throws BackupException {
    assertEquals(List.of("secrets/config"), selection.of(List.of("config")));
  }

  @Test
  void what_could_be_several_is_refused_with_all_of_them() {
    var refused =
        assertThrows(BackupException.Refused.class, () -> selection.of(List.of("database")));
    assertEquals(CoreFailure.AMBIGUOUS, refused.code());
    assertTrue(
        refused.getMessage().contains("[database/main, database/audit]"), refused.getMessage());
  }

  @Test
  void what_is_not_there_is_refused_with_what_there_is() {
    for (String unknown : List.of("", "Main", "evidence", "config/main")) {
      var refused =
          assertThrows(BackupException.Refused.class, () -> selection.of(List.of(unknown)));
      assertEquals(CoreFailure.NOT_FOUND, refused.code());
      assertTrue(refused.getMessage().contains("config/files"), refused.getMessage());
    }
  }
}
