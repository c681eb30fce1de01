package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.spi.Stopping;

/**
 * Makes calls several at a time, and takes up their results in the order in which they were given.
 *
 * <p>What is to be done {@link #then} is done by the caller's thread when every call before it has
 * ended well, while calls behind it go on. So an entry can wait for all that it names, and nothing
 * else waits for the entry. The first failure in that order is thrown, whichever came first; behind
 * one nothing is begun.
 *
 * <p>A call that the executor does not come to is made by the caller's thread, so that an executor
 * which is busy, or has one thread only, ends nothing in waiting for ever. One thread.
 */
final class SeveralAtOnce implements AutoCloseable {
  /** How long to wait for the executor before lending it a hand. */
  private static final long PATIENCE_MILLIS = 100;

  /** How many results wait for one before them that takes long. */
  private static final int MOST_WAITING = 256;

  private final Executor executor;
  private final int most;
  private final Stopping stopping;
  private final Semaphore free;
  private final Deque<Step> waiting = new ArrayDeque<>();

  /** The first call in order that failed; no call behind it is begun. */
  private final AtomicLong brokenAt = new AtomicLong(Long.MAX_VALUE);

  private long given;
  private @Nullable Exception failure;

  /**
   * @param most so many calls at a time, at least 1; with 1 the caller's thread makes them
   */
  SeveralAtOnce(Executor executor, int most, Stopping stopping) {
    this.executor = executor;
    this.most = most;
    this.stopping = stopping;
    this.free = new Semaphore(most);
  }

  /** Something to do in its turn. */
  @FunctionalInterface
  interface Turn {
    /** Does it. */
    void take() throws IOException;
  }

  /** What is done beside others. */
  @FunctionalInterface
  interface Call<T> {
    /** Makes it, on whatever thread. */
    T call() throws IOException;
  }

  /** What to do with a result, in its turn. */
  @FunctionalInterface
  interface Result<T> {
    /** Takes it. */
    void take(T result) throws IOException;
  }

  /** A call, and what becomes of it when all before it are done; without a call only that. */
  private record Step(@Nullable FutureTask<?> call, Taking taking) {}

  @FunctionalInterface
  private interface Taking {
    void take() throws Exception;
  }

  /** What a call ends with that was not made, since another one had failed. */
  private static final class GivenUp extends IOException {
    private static final long serialVersionUID = 1L;

    GivenUp() {
      super("another call failed first");
    }
  }

  /** Makes the call now or soon, and takes its result when those of all before it were taken. */
  <T> void add(Call<T> call, Result<T> result) throws IOException {
    if (most == 1) {
      drain(0);
      taking(() -> result.take(call.call()));
      return;
    }
    long number = given++;
    FutureTask<T> task = new FutureTask<>(() -> watched(number, call));
    enter();
    waiting.add(new Step(task, () -> result.take(task.get())));
    try {
      executor.execute(task);
    } catch (RejectedExecutionException closing) {
      task.run();
    }
    drain(MOST_WAITING);
  }

  /** Does something when every call before it has ended well. */
  void then(Turn turn) throws IOException {
    waiting.add(new Step(null, turn::take));
    drain(MOST_WAITING);
  }

  /** Waits until everything is done. */
  void await() throws IOException {
    drain(0);
  }

  /** Whether this came out of here, and not from whoever gave the calls. */
  boolean isOwn(Exception e) {
    return failure == e;
  }

  private <T> T watched(long number, Call<T> call) throws IOException {
    boolean isDone = false;
    try {
      if (number > brokenAt.get()) {
        throw new GivenUp();
      }
      T result = call.call();
      isDone = true;
      return result;
    } finally {
      if (!isDone) {
        brokenAt.accumulateAndGet(number, Math::min);
      }
      free.release();
    }
  }

  private void enter() throws IOException {
    try {
      while (!free.tryAcquire(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
        lendAHand();
        taking(stopping::check);
      }
    } catch (InterruptedException e) {
      interrupted();
    }
    if (brokenAt.get() < Long.MAX_VALUE) {
      free.release();
      drain(0);
      throw new IllegalStateException("closed, or gone on with after a failure");
    }
  }

  /** Makes the calls that nobody began; does nothing if all were begun. */
  private void lendAHand() {
    for (Step step : waiting) {
      if (step.call != null && !step.call.isDone()) {
        step.call.run();
      }
    }
  }

  /** Takes what is ready in its turn, and waits as long as more than so many are behind it. */
  private void drain(int mostWaiting) throws IOException {
    for (Step first = waiting.peek(); first != null; first = waiting.peek()) {
      boolean isReady = first.call == null || first.call.isDone();
      if (!isReady && waiting.size() <= mostWaiting) {
        return;
      }
      if (!isReady) {
        awaitDone(first.call);
      }
      waiting.remove();
      taking(first.taking);
    }
  }

  private void awaitDone(@Nullable FutureTask<?> call) throws IOException {
    while (call != null && !call.isDone()) {
      try {
        call.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        lendAHand();
        taking(stopping::check);
      } catch (ExecutionException e) {
        return; // its turn throws it
      } catch (InterruptedException e) {
        interrupted();
      }
    }
  }

  private void interrupted() throws IOException {
    Thread.currentThread().interrupt();
    taking(stopping::check);
    throw new IllegalStateException("interrupted, and nobody was told to stop");
  }

  /** Remembers what failed, so that it can be told from what the caller does wrong. */
  private void taking(Taking taking) throws IOException {
    try {
      taking.take();
    } catch (ExecutionException e) {
      fail(e.getCause());
    } catch (Exception e) {
      fail(e);
    }
  }

  private void fail(@Nullable Throwable cause) throws IOException {
    brokenAt.set(-1);
    if (cause instanceof Error e) {
      throw e;
    }
    if (cause instanceof RuntimeException e) {
      failure = e;
      throw e;
    }
    if (cause instanceof IOException e) {
      failure = e;
      throw e;
    }
    throw new AssertionError("calls throw what their type says, and no other", cause);
  }

  /** Begins nothing more, and waits for what was begun. */
  @Override
  public void close() {
    brokenAt.set(-1);
    // Each call that nobody began ends here at once.
    lendAHand();
    free.acquireUninterruptibly(most);
    free.release(most);
    waiting.clear();
  }
}
