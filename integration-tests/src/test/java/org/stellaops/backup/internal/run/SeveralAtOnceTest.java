package org.stellaops.backup.internal.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.spi.Stopping;

/** Calls overlap; what waits for them does not. */
@Timeout(60)
class SeveralAtOnceTest {
  private final ExecutorService pool = Executors.newFixedThreadPool(8);

  @AfterEach
  void end() throws InterruptedException {
    pool.shutdownNow();
    assertTrue(pool.awaitTermination(10, TimeUnit.SECONDS));
  }

  private SeveralAtOnce several(int most) {
    return new SeveralAtOnce(pool, most, Stopping.never());
  }

  private static void await(CountDownLatch latch) throws IOException {
    try {
      if (!latch.await(30, TimeUnit.SECONDS)) {
        throw new IOException("nobody else came");
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  @Test
  void as_many_as_asked_for_are_made_at_a_time_and_no_more() throws IOException {
    CountDownLatch three = new CountDownLatch(3);
    AtomicInteger now = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    try (SeveralAtOnce several = several(3)) {
      for (int i = 0; i < 30; i++) {
        several.add(
            () -> {
              most.accumulateAndGet(now.incrementAndGet(), Math::max);
              three.countDown();
              await(three);
              return now.decrementAndGet();
            },
            left -> {});
      }
      several.await();
    }
    assertEquals(3, most.get());
  }

  @Test
  void results_are_taken_in_order_and_what_is_to_be_done_then_comes_between() throws IOException {
    List<String> taken = new ArrayList<>();
    CountDownLatch last = new CountDownLatch(1);
    try (SeveralAtOnce several = several(4)) {
      several.add(
          () -> {
            await(last);
            return "a";
          },
          taken::add);
      several.add(() -> "b", taken::add);
      several.then(() -> taken.add("entry"));
      several.add(
          () -> {
            last.countDown();
            return "c";
          },
          taken::add);
      several.await();
    }
    assertEquals(List.of("a", "b", "entry", "c"), taken);
  }

  @Test
  void the_first_failure_in_order_is_thrown_and_nothing_behind_it_is_done() throws IOException {
    List<String> taken = new ArrayList<>();
    CountDownLatch second = new CountDownLatch(1);
    IOException first = new IOException("first");
    SeveralAtOnce several = several(4);
    several.add(() -> "good", taken::add);
    several.then(() -> taken.add("entry of it"));
    several.add(
        () -> {
          await(second);
          throw first;
        },
        (String none) -> taken.add("never"));
    several.then(() -> taken.add("entry of nothing"));
    IOException thrown =
        assertThrows(
            IOException.class,
            () -> {
              several.add(
                  () -> {
                    second.countDown();
                    throw new IOException("second");
                  },
                  (String none) -> taken.add("never"));
              several.await();
            });
    several.close();
    assertSame(first, thrown);
    assertTrue(several.isOwn(thrown));
    assertFalse(several.isOwn(new IOException("of somebody else")));
    assertEquals(List.of("good", "entry of it"), taken);
  }

  @Test
  void a_failure_is_told_also_where_calls_before_it_were_given_up() {
    IOException only = new IOException("only");
    AtomicInteger begun = new AtomicInteger();
    SeveralAtOnce several = new SeveralAtOnce(task -> begun.incrementAndGet(), 3, Stopping.never());
    // Nobody begins anything, so that the caller's thread makes the calls, from the first.
    IOException thrown =
        assertThrows(
            IOException.class,
            () -> {
              several.add(
                  () -> {
                    throw only;
                  },
                  none -> {});
              several.add(() -> "given up", none -> {});
              several.await();
            });
    several.close();
    assertSame(only, thrown);
  }

  @Test
  void an_executor_that_is_busy_with_the_caller_itself_keeps_nobody_waiting() throws Exception {
    ExecutorService one = Executors.newSingleThreadExecutor();
    try {
      List<Integer> taken = one.submit(() -> squares(one)).get(30, TimeUnit.SECONDS);
      assertEquals(List.of(0, 1, 4, 9, 16), taken);
    } finally {
      one.shutdownNow();
    }
    one.awaitTermination(10, TimeUnit.SECONDS);
    assertThrows(RejectedExecutionException.class, () -> one.execute(() -> {}));
    assertEquals(List.of(0, 1, 4, 9, 16), squares(one), "one that is closed");
  }

  private static List<Integer> squares(ExecutorService executor) throws IOException {
    List<Integer> taken = new ArrayList<>();
    try (SeveralAtOnce several = new SeveralAtOnce(executor, 2, Stopping.never())) {
      for (int i = 0; i < 5; i++) {
        int n = i;
        several.add(() -> n * n, taken::add);
      }
      several.await();
    }
    return taken;
  }

  @Test
  void whoever_is_stopped_waits_for_what_was_begun_and_begins_no_more() throws IOException {
    StopSignal stopping = new StopSignal(InstantSource.system());
    AtomicInteger ended = new AtomicInteger();
    AtomicInteger begun = new AtomicInteger();
    SeveralAtOnce several = new SeveralAtOnce(pool, 2, stopping);
    assertThrows(
        BackupException.Stopped.class,
        () -> {
          for (int i = 0; i < 100; i++) {
            several.add(
                () -> {
                  begun.incrementAndGet();
                  stopping.cancel();
                  ended.incrementAndGet();
                  stopping.check();
                  return "";
                },
                none -> {});
          }
        });
    several.close();
    assertEquals(begun.get(), ended.get());
    assertTrue(begun.get() <= 2, begun.get() + " begun");
  }
}
