package org.stellaops.backup.postgres.internal.receive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresConnection;
import org.stellaops.backup.postgres.PostgresFailure;

/** When a silent server is asked, and when it is given up. */
class ServerSilenceTest {
  private static final Instant BEGIN = Instant.parse("2026-01-02T03:04:05Z");

  private final ServerSilence silence =
      new ServerSilence(PostgresConnection.to("127.0.0.1").user("backup").build(), BEGIN);

  private boolean isToBeAskedAfter(long seconds) throws BackupException {
    return silence.isToBeAsked(BEGIN.plusSeconds(seconds));
  }

  @Test
  void it_is_asked_once_and_after_half_a_minute() throws Exception {
    assertFalse(isToBeAskedAfter(29));
    assertTrue(isToBeAskedAfter(30));
    assertFalse(isToBeAskedAfter(31));
  }

  @Test
  void it_is_given_up_when_it_has_not_answered_for_half_a_minute() throws Exception {
    assertTrue(isToBeAskedAfter(30));
    assertFalse(isToBeAskedAfter(60));
    var e = assertThrows(BackupException.Source.class, () -> isToBeAskedAfter(61));
    assertEquals(PostgresFailure.CONNECTION_LOST, e.code());
  }

  @Test
  void whatever_it_says_is_an_answer() throws Exception {
    assertTrue(isToBeAskedAfter(30));
    silence.heard(BEGIN.plusSeconds(59));
    assertFalse(isToBeAskedAfter(88));
    assertTrue(isToBeAskedAfter(89));
    assertFalse(isToBeAskedAfter(119));
  }

  @Test
  void a_store_that_took_long_or_a_clock_that_was_set_make_it_asked_and_not_given_up()
      throws Exception {
    assertTrue(isToBeAskedAfter(86_400));
    assertFalse(isToBeAskedAfter(86_430));
  }

  @Test
  void an_answer_that_waited_behind_a_long_put_counts() throws Exception {
    assertTrue(isToBeAskedAfter(30));
    silence.heard(BEGIN.plusSeconds(900));
    assertFalse(isToBeAskedAfter(901));
  }
}
