package org.stellaops.backup.internal.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RepeatingTest {
  private static final Duration LONG = Duration.ofDays(1);

  @Test
  @SuppressWarnings("try")
  void it_is_called_at_once_and_again_and_again() throws Exception {
    CountDownLatch three = new CountDownLatch(3);
    try (Closeable repeating = Repeating.every(Duration.ofMillis(1), three::countDown, "test")) {
      assertTrue(three.await(30, TimeUnit.SECONDS));
    }
  }

  @Test
  void closing_ends_a_pause() throws Exception {
    CountDownLatch called = new CountDownLatch(1);
    Closeable repeating = Repeating.every(LONG, called::countDown, "test");
    assertTrue(called.await(30, TimeUnit.SECONDS));
    repeating.close();
    repeating.close();
  }

  @Test
  void closing_waits_for_a_call_that_is_under_way() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    AtomicInteger ended = new AtomicInteger();
    Closeable repeating =
        Repeating.every(
            LONG,
            () -> {
              begun.countDown();
              awaitQuietly(mayEnd);
              ended.incrementAndGet();
            },
            "test");
    assertTrue(begun.await(30, TimeUnit.SECONDS));
    Thread closing =
        new Thread(
            () -> {
              closeQuietly(repeating);
              assertEquals(1, ended.get());
            });
    closing.start();
    while (closing.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    assertEquals(0, ended.get());
    mayEnd.countDown();
    closing.join();
    assertEquals(1, ended.get());
  }

  @Test
  void a_task_may_close_itself() throws Exception {
    AtomicReference<Closeable> self = new AtomicReference<>();
    AtomicInteger calls = new AtomicInteger();
    CountDownLatch known = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    Closeable repeating =
        Repeating.every(
            Duration.ofMillis(1),
            () -> {
              awaitQuietly(known);
              calls.incrementAndGet();
              closeQuietly(self.get());
              closed.countDown();
            },
            "test");
    self.set(repeating);
    known.countDown();
    assertTrue(closed.await(30, TimeUnit.SECONDS));
    repeating.close();
    assertEquals(1, calls.get());
  }

  @Test
  void whoever_is_interrupted_while_closing_waits_all_the_same_and_stays_interrupted()
      throws Exception {
    CountDownLatch called = new CountDownLatch(1);
    Closeable repeating = Repeating.every(LONG, called::countDown, "test");
    assertTrue(called.await(30, TimeUnit.SECONDS));
    Thread.currentThread().interrupt();
    repeating.close();
    assertTrue(Thread.interrupted());
    assertFalse(Thread.currentThread().isInterrupted());
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void closeQuietly(Closeable closeable) {
    try {
      closeable.close();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
