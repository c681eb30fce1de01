package org.stellaops.backup.internal.cloud;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.store.RetryPolicy;

class AttemptsTest {
  private static final StoreFailures FAILURES = new StoreFailures("cloud/box");
  private static final BackupException.Sink LOST = FAILURES.cut("put a", "no reply");
  private static final BackupException.Sink BUSY =
      FAILURES.of(CoreFailure.STORE_BUSY, Reason.TRANSIENT, "put a", "status 503", null);
  private static final BackupException.Sink EXISTS = FAILURES.exists("put a", null);

  private final Gate gate = new Gate();
  private final Attempts attempts =
      new Attempts(new RetryPolicy(3, Duration.ZERO, Duration.ZERO), Stopping.never(), gate);

  @Test
  void what_may_pass_is_tried_again() throws Exception {
    var script = new Script(LOST, LOST);
    assertEquals("done", attempts.make(script));
    assertEquals(3, script.asked);
  }

  @Test
  void it_ends_after_the_last_attempt() {
    var script = new Script(LOST, LOST, LOST, LOST);
    assertSame(LOST, assertThrows(BackupException.Sink.class, () -> attempts.make(script)));
    assertEquals(3, script.asked);
  }

  @Test
  void what_does_not_pass_is_not_tried_again() {
    var script = new Script(EXISTS);
    assertSame(EXISTS, assertThrows(BackupException.Sink.class, () -> attempts.make(script)));
    assertEquals(1, script.asked);
  }

  @Test
  void a_busy_store_is_asked_for_less_at_once_and_after_good_replies_for_more() throws Exception {
    attempts.make(new Script(BUSY, BUSY));
    assertEquals(Gate.FIRST / 4, gate.limit());

    attempts.make(new Script(LOST));
    int quiet = gate.limit();
    while (gate.limit() < Gate.FIRST) {
      attempts.make(new Script());
    }

    assertEquals(Gate.FIRST / 4, quiet, "a reply that is lost says nothing of the store");
  }

  @Test
  void what_is_made_again_as_one_takes_no_place_from_its_own_requests() {
    for (int i = 0; i < Gate.FIRST; i++) {
      gate.slower();
    }
    assertEquals(1, gate.limit());
    var lost = new Script(LOST);
    Request<String> reading = () -> attempts.make(new Script());
    Request<String> both = () -> reading.send() + attempts.once(lost);

    String answer = assertTimeoutPreemptively(Duration.ofMinutes(1), () -> attempts.again(both));

    assertEquals("donedone", answer);
    assertEquals(2, lost.asked);
  }

  @Test
  void its_places_are_given_back_however_a_request_ends() throws Exception {
    for (int i = 0; i < 2 * Gate.MOST; i++) {
      assertThrows(IllegalStateException.class, () -> attempts.make(this::mistaken));
      assertThrows(BackupException.Sink.class, () -> attempts.make(new Script(EXISTS)));
    }
    assertEquals("done", attempts.make(new Script()));
  }

  private String mistaken() {
    throw new IllegalStateException("a mistake of the program");
  }

  @Test
  void a_lost_reply_to_what_is_ours_is_no_failure() throws Exception {
    new Settlement(FAILURES).settle("put a", "n", true, new Script(LOST), () -> Optional.of("n"));
    new Settlement(FAILURES).settle("put a", "n", true, new Script(EXISTS), () -> Optional.of("n"));
  }

  @Test
  void what_is_another_s_exists() {
    for (BackupException.Sink reply : List.of(LOST, EXISTS)) {
      assertEquals(
          Reason.ALREADY_EXISTS, reasonOf(new Script(reply), () -> Optional.of("another")));
    }
  }

  @Test
  void what_was_to_be_replaced_and_is_still_there_is_nothing_that_another_put() {
    var e =
        assertThrows(
            BackupException.Sink.class,
            () ->
                new Settlement(FAILURES)
                    .settle("mend a", "n", false, new Script(LOST), () -> Optional.of("before")));
    assertEquals(Reason.TRANSIENT, e.reason());
    var raced =
        assertThrows(
            BackupException.Sink.class,
            () ->
                new Settlement(FAILURES)
                    .settle("mend a", "n", false, new Script(EXISTS), () -> Optional.of("raced")));
    assertEquals(Reason.ALREADY_EXISTS, raced.reason());
  }

  @Test
  void what_is_not_there_may_be_tried_again() {
    for (BackupException.Sink reply : List.of(LOST, EXISTS)) {
      assertEquals(Reason.TRANSIENT, reasonOf(new Script(reply), Optional::empty));
    }
  }

  @Test
  void whoever_may_not_look_knows_no_more_than_before() {
    var denied = FAILURES.of(CoreFailure.SINK_DENIED, Reason.DENIED, "put a", "no", null);
    for (BackupException.Sink reply : List.of(LOST, EXISTS)) {
      Request<Optional<String>> look =
          () -> {
            throw denied;
          };
      assertEquals(reply.reason(), reasonOf(new Script(reply), look));
    }
  }

  private static Reason reasonOf(Script making, Request<Optional<String>> owner) {
    return assertThrows(
            BackupException.Sink.class,
            () -> new Settlement(FAILURES).settle("put a", "n", true, making, owner))
        .reason();
  }

  /** Fails so, one after the other, and then no more. */
  private static final class Script implements Request<String> {
    private final Deque<BackupException.Sink> failures;
    private int asked;

    Script(BackupException.Sink... failures) {
      this.failures = new ArrayDeque<>(List.of(failures));
    }

    @Override
    public String send() throws IOException {
      asked++;
      if (!failures.isEmpty()) {
        throw failures.remove();
      }
      return "done";
    }
  }
}
