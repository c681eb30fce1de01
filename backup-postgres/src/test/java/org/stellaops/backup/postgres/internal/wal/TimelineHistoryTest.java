package org.stellaops.backup.postgres.internal.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.internal.wal.TimelineHistory.Ancestor;

class TimelineHistoryTest {
  private static final String THIRD =
      "# a comment\n1\t0/3000148\tno recovery target specified\n\n3\t1/0\tbefore 2026-01-01\n";

  @Test
  void ancestors_are_read_in_their_order() throws Exception {
    assertEquals(
        new TimelineHistory(
            5,
            List.of(
                new Ancestor(1, Lsn.parse("0/3000148"), "no recovery target specified"),
                new Ancestor(3, Lsn.parse("1/0"), "before 2026-01-01"))),
        parse(5, THIRD));
  }

  @ParameterizedTest
  @CsvSource({"0/0, 1", "0/3000147, 1", "0/3000148, 3", "0/FFFFFFFF, 3", "1/0, 5", "9/0, 5"})
  void each_place_is_on_one_timeline(String lsn, long timeline) throws Exception {
    assertEquals(timeline, parse(5, THIRD).timelineAt(Lsn.parse(lsn)));
  }

  @Test
  void a_timeline_that_was_left_before_it_was_entered_holds_nothing() throws Exception {
    TimelineHistory history = parse(3, "1\t0/64\tx\n2\t0/32\ty\n");

    assertEquals(1, history.timelineAt(Lsn.parse("0/31")));
    assertEquals(3, history.timelineAt(Lsn.parse("0/32")));
    assertEquals(3, history.timelineAt(Lsn.parse("0/70")));
    assertFalse(history.holds(1, Lsn.parse("0/33")));
  }

  @Test
  void what_an_ancestor_holds_behind_its_end_is_of_another_history() throws Exception {
    TimelineHistory history = parse(5, THIRD);

    assertTrue(history.holds(1, Lsn.parse("0/3000148")));
    assertFalse(history.holds(1, Lsn.parse("0/3000149")));
    assertTrue(history.holds(3, Lsn.parse("1/0")));
    assertFalse(history.holds(3, Lsn.parse("1/1")));
    assertTrue(history.holds(5, Lsn.parse("FFFFFFFF/FFFFFFFF")));
    assertFalse(history.holds(2, Lsn.parse("0/1")));
    assertFalse(history.holds(6, Lsn.parse("0/1")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "# nothing",
        "1",
        "1\t0/30\tx\n1\t0/40\tx",
        "2\t0/30\tx\n1\t0/40\tx",
        "5\t0/30\tx",
        "0\t0/30\tx",
        "1 0/30 x",
        "1\t0-30\tx",
        "-1\t0/30\tx",
        "1\t0/123456789\tx",
        "1\t0/30\tx\nend",
        "99999999999\t0/30\tx"
      })
  void anything_else_is_damaged(String content) {
    var e = assertThrows(BackupException.Corrupt.class, () -> parse(5, content));

    assertEquals(PostgresFailure.WAL_DAMAGED, e.code());
    assertTrue(e.getMessage().contains("00000005.history"), e.getMessage());
  }

  private static TimelineHistory parse(long timeline, String content) throws Exception {
    return TimelineHistory.parse(timeline, content.getBytes(StandardCharsets.UTF_8));
  }
}
