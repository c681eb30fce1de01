package org.stellaops.backup.postgres.internal.restore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;

class TablespaceMapTest {
  @Test
  void a_map_is_read_and_written_as_the_server_does() throws Exception {
    String text = "16400 /mnt/fast\n16401 /mnt/with blank\\\\and\\\nnewline\n";

    TablespaceMap map = TablespaceMap.parse(text);

    assertEquals(
        Map.of("16400", "/mnt/fast", "16401", "/mnt/with blank\\and\nnewline"), map.paths());
    assertEquals(text, map.text());
  }

  @Test
  void a_line_without_an_oid_is_an_error() {
    assertThrows(BackupException.Corrupt.class, () -> TablespaceMap.parse("/mnt/fast\n"));
    assertThrows(BackupException.Corrupt.class, () -> TablespaceMap.parse("../x /mnt/fast\n"));
  }
}
