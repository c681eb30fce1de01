package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.model.StreamMark;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.ContinuousSource;
import org.stellaops.backup.spi.SourceDescription;
import org.stellaops.backup.spi.StreamSession;

@Timeout(60)
class StreamHarnessTest {
  private static Position at(long branch, long offset) {
    return new Position("system-1", branch, offset, "0/" + offset);
  }

  private static SliceSpan span(long from, long to) {
    return SliceSpan.of(at(1, from), at(1, to));
  }

  private static void append(StreamSession session, long from, byte... bytes) throws IOException {
    session.append(span(from, from + bytes.length), out -> out.write(bytes));
  }

  /** What following does. */
  private interface Follow {
    void follow(StreamSession session) throws Exception;
  }

  private record Toy(Follow follow) implements ContinuousSource {
    @Override
    public SourceDescription describe() {
      return SourceDescription.of("toy-log/1", Component.of("database"), Stage.DATABASE);
    }

    @Override
    public void check(Checks checks) {
      checks.add(CheckResult.pass("check.toy", "there"));
    }

    @Override
    public void follow(StreamSession session) throws IOException {
      try {
        follow.follow(session);
      } catch (IOException | RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }
  }

  private static StreamHarness of(Follow follow) {
    return StreamHarness.of(new Toy(follow));
  }

  @Test
  void what_was_recorded_can_be_looked_at() throws Exception {
    StreamGap gap = new StreamGap(at(1, 5), at(1, 7), "lost");
    StreamMark mark = new StreamMark("here", at(1, 8), StreamHarness.TIME);
    Finding finding = new Finding(CoreFailure.SOURCE_FAILED, "x", "y");
    StreamHarness harness =
        of(
            session -> {
              append(session, 0, (byte) 1, (byte) 2, (byte) 3);
              append(session, 2, (byte) 3, (byte) 4, (byte) 5);
              session.merge(span(0, 5), out -> out.write(new byte[] {1, 2, 3, 4, 5}));
              session.gap(gap);
              session.mark(mark);
              append(session, 7, (byte) 8, (byte) 9);
              session.companion("system-1", "x.history", out -> out.write(7));
              session.lag(5, Duration.ZERO);
              session.finding(finding);
            });
    harness.follow();
    assertArrayEquals(new byte[] {2, 3, 4}, harness.bytes(span(1, 4)));
    assertThrows(AssertionError.class, () -> harness.bytes(span(4, 8)));
    assertEquals(Optional.of(at(1, 9)), harness.durable());
    assertEquals(List.of(span(0, 5), span(7, 9)), harness.coverage().orElseThrow().ranges());
    assertEquals(List.of(gap), harness.coverage().orElseThrow().gaps());
    assertEquals(List.of(mark), harness.coverage().orElseThrow().marks());
    assertEquals(List.of(span(0, 5)), harness.merges());
    assertArrayEquals(new byte[] {7}, harness.companions().get("x.history"));
    assertEquals(List.of(finding), harness.findings());
    assertEquals("check.toy", harness.checks().get(0).id());
  }

  @Test
  void a_failed_append_leaves_nothing_and_the_next_call_goes_on() throws Exception {
    List<Optional<Position>> begun = new ArrayList<>();
    StreamHarness harness =
        of(
            session -> {
              begun.add(session.durable());
              long from = session.durable().map(Position::offset).orElse(0L);
              append(session, from, (byte) from);
              append(session, from + 1, (byte) (from + 1));
            });
    assertThrows(BackupException.Sink.class, () -> harness.failAppend(1).follow());
    assertEquals(Optional.of(at(1, 1)), harness.durable());
    harness.follow();
    assertEquals(List.of(Optional.empty(), Optional.of(at(1, 1))), begun);
    assertArrayEquals(new byte[] {0, 1, 2}, harness.bytes(span(0, 3)));
  }

  @Test
  void a_test_can_block_an_append_and_stop_the_stream() throws Exception {
    CountDownLatch inAppend = new CountDownLatch(1);
    CountDownLatch mayGoOn = new CountDownLatch(1);
    List<String> order = new ArrayList<>();
    StreamHarness harness =
        of(
            session -> {
              while (!session.stopping().isStopping()) {
                append(session, session.durable().map(Position::offset).orElse(0L), (byte) 1);
                order.add("told");
              }
            });
    harness.beforeAppend(
        span -> {
          inAppend.countDown();
          awaitQuietly(mayGoOn);
        });
    harness.afterAppend(span -> order.add("durable " + harness.durable().orElseThrow().offset()));
    StopSwitch stop = harness.stopping();
    CompletableFuture<Void> following = CompletableFuture.runAsync(() -> followQuietly(harness));
    assertTrue(inAppend.await(30, TimeUnit.SECONDS));
    assertEquals(Optional.empty(), harness.durable());
    stop.stop();
    mayGoOn.countDown();
    following.get();
    assertEquals(List.of("durable 1", "told"), order);
  }

  private static void followQuietly(StreamHarness harness) {
    try {
      harness.follow();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static CoreFailure refused(Follow follow) {
    StreamHarness harness =
        of(
            session -> {
              append(session, 0, (byte) 1, (byte) 2);
              session.companion("system-1", "x", out -> out.write(1));
              follow.follow(session);
            });
    return (CoreFailure) assertThrows(BackupException.class, harness::follow).code();
  }

  @Test
  void what_an_engine_refuses_is_refused() {
    SliceSpan other =
        SliceSpan.of(new Position("system-2", 1, 2, "0/2"), new Position("system-2", 1, 3, "0/3"));
    assertEquals(CoreFailure.STREAM_LINEAGE, refused(s -> s.append(other, out -> out.write(1))));
    assertEquals(CoreFailure.STREAM_GAP, refused(s -> append(s, 3, (byte) 1)));
    assertEquals(CoreFailure.STREAM_DIFFERS, refused(s -> append(s, 0, (byte) 1, (byte) 1)));
    assertEquals(
        CoreFailure.STREAM_DIFFERS,
        refused(s -> s.companion("system-1", "x", out -> out.write(2))));
    assertEquals(CoreFailure.STREAM_LINEAGE, refused(s -> s.companion("system-2", "y", out -> {})));
  }

  /** Each a way to break the contract, hidden as well as a source can. */
  private enum Breach implements Follow {
    LENGTH {
      @Override
      public void follow(StreamSession session) throws IOException {
        session.append(span(0, 2), out -> out.write(1));
      }
    },
    THREAD {
      @Override
      public void follow(StreamSession session) throws Exception {
        Thread other = new Thread(() -> session.lag(1, Duration.ZERO));
        other.setUncaughtExceptionHandler((thread, e) -> {});
        other.start();
        other.join();
      }
    },
    WITHIN_A_BODY {
      @Override
      public void follow(StreamSession session) throws IOException {
        session.append(
            span(0, 1),
            out -> {
              session.lag(1, Duration.ZERO);
              out.write(1);
            });
      }
    },
    MERGE_OF_NOTHING {
      @Override
      public void follow(StreamSession session) throws IOException {
        append(session, 0, (byte) 1);
        session.merge(span(0, 2), out -> out.write(new byte[] {1, 2}));
      }
    },
    MERGE_OF_OTHER_BYTES {
      @Override
      public void follow(StreamSession session) throws IOException {
        append(session, 0, (byte) 1);
        session.merge(span(0, 1), out -> out.write(2));
      }
    },
    NEGATIVE_LAG {
      @Override
      public void follow(StreamSession session) {
        session.lag(-1, Duration.ZERO);
      }
    },
    REGISTRATION_LEFT_OPEN {
      @Override
      public void follow(StreamSession session) {
        Closeable open = session.stopping().onStop(() -> {});
        assertTrue(open != null);
      }
    },
    TASK_LEFT_OPEN {
      @Override
      public void follow(StreamSession session) {
        Closeable open = session.every(Duration.ofDays(1), () -> {});
        assertTrue(open != null);
      }
    },
    TASK_THAT_THROWS {
      @Override
      public void follow(StreamSession session) throws IOException {
        session
            .every(
                Duration.ofMillis(1),
                () -> {
                  throw new IllegalArgumentException("no");
                })
            .close();
      }
    };
  }

  @ParameterizedTest
  @EnumSource
  void who_breaks_the_contract_is_told_whatever_it_makes_of_that(Breach breach) {
    StreamHarness harness =
        of(
            session -> {
              try {
                breach.follow(session);
              } catch (IllegalStateException e) {
                assertTrue(e.getMessage() != null);
              }
            });
    assertThrows(AssertionError.class, harness::follow);
  }

  @Test
  void a_session_is_of_no_use_when_follow_has_returned() throws Exception {
    List<StreamSession> kept = new ArrayList<>();
    of(kept::add).follow();
    assertThrows(IllegalStateException.class, () -> append(kept.get(0), 0, (byte) 1));
  }

  @Test
  @SuppressWarnings("try")
  void a_task_is_repeated_until_it_is_closed() throws Exception {
    CountDownLatch three = new CountDownLatch(3);
    of(session -> {
          try (Closeable task = session.every(Duration.ofMillis(1), three::countDown)) {
            assertTrue(three.await(30, TimeUnit.SECONDS));
          }
        })
        .follow();
  }
}
