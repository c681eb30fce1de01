package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LsnTest {
  @ParameterizedTest
  @ValueSource(strings = {"0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF", "0/1000028"})
  void what_is_printed_is_what_was_parsed(String text) {
    assertEquals(text, Lsn.parse(text).toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0", "/", "0/", "/0", "123456789/0", "0/123456789", "g/0", " 0/0"})
  void anything_else_is_refused(String text) {
    assertThrows(IllegalArgumentException.class, () -> Lsn.parse(text));
  }

  @Test
  void order_is_unsigned() {
    assertTrue(Lsn.parse("FFFFFFFF/0").compareTo(Lsn.parse("1/0")) > 0);
  }

  @Test
  void a_position_keeps_cluster_and_timeline() {
    var position = Lsn.parse("0/2A").in("7000000000000000001", 3);

    assertEquals("7000000000000000001", position.lineage());
    assertEquals(3, position.branch());
    assertEquals(42, position.offset());
    assertEquals("0/2A", position.text());
  }
}
