package org.stellaops.backup.internal.cloud;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.spi.Stopping;

class GateTest {
  private final Gate gate = new Gate();

  @Test
  void it_grows_by_one_in_a_round_of_good_replies() {
    for (int limit = Gate.FIRST; limit < Gate.FIRST + 5; limit++) {
      assertEquals(limit, gate.limit());
      // Each adds a little less than the one before: as many as there are places, and one more.
      for (int reply = 0; reply <= limit; reply++) {
        gate.faster();
      }
      assertEquals(limit + 1, gate.limit());
    }
  }

  @Test
  void it_halves_whenever_it_is_asked_to_and_never_closes() {
    for (int limit : new int[] {8, 4, 2, 1, 1, 1}) {
      gate.slower();
      assertEquals(limit, gate.limit());
    }
    gate.faster();
    assertEquals(2, gate.limit());
  }

  @Test
  void it_never_opens_wider_than_its_most() {
    for (int reply = 0; reply < 10_000; reply++) {
      gate.faster();
      assertTrue(gate.limit() <= Gate.MOST, () -> "opened to " + gate.limit());
    }
    assertEquals(Gate.MOST, gate.limit());
  }

  @Test
  void whoever_finds_no_place_waits_until_one_is_left() throws Exception {
    narrow();
    gate.enter(Stopping.never());
    var waiting = new CountDownLatch(1);
    var second =
        new FutureTask<>(
            () -> {
              waiting.countDown();
              gate.enter(Stopping.never());
              return true;
            });
    start(second);
    waiting.await();
    assertEquals(false, second.isDone());

    gate.leave();

    assertTrue(second.get());
  }

  @Test
  void whoever_finds_no_place_gets_one_when_it_opens_wider() throws Exception {
    narrow();
    gate.enter(Stopping.never());
    var second =
        new FutureTask<>(
            () -> {
              gate.enter(Stopping.never());
              return true;
            });
    start(second);

    gate.faster();

    assertTrue(second.get());
  }

  @Test
  void whoever_waits_is_interrupted() throws Exception {
    narrow();
    gate.enter(Stopping.never());
    var second =
        new FutureTask<>(
            () -> {
              assertThrows(BackupException.Stopped.class, () -> gate.enter(Stopping.never()));
              return Thread.currentThread().isInterrupted();
            });
    start(second).interrupt();

    assertTrue(second.get());
  }

  private void narrow() {
    for (int i = 0; i < 4; i++) {
      gate.slower();
    }
  }

  private static Thread start(Runnable task) {
    var thread = new Thread(task, "gate-test");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }
}
