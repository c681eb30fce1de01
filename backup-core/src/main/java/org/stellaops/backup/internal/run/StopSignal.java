package org.stellaops.backup.internal.run;

import java.io.Closeable;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.Stopping;

/**
 * Stops one run: by request, by its deadline, or because its thread was interrupted. From any
 * thread.
 */
public final class StopSignal implements Stopping, Closeable {
  private final InstantSource clock;
  private final List<Runnable> actions = new ArrayList<>();
  private @Nullable Instant deadline;
  private BackupException.@Nullable Stopped reason;
  private boolean isClosed;

  /** A signal without deadline. */
  public StopSignal(InstantSource clock) {
    this.clock = clock;
  }

  /**
   * Stops when this much time has passed, also when the run waits for something and does not look;
   * and also when every thread of the engine waits, so none of them is asked to.
   */
  public void within(Optional<Duration> time) {
    if (time.isPresent()) {
      synchronized (this) {
        deadline = clock.instant().plus(time.get());
      }
      CompletableFuture.delayedExecutor(time.get().toMillis(), TimeUnit.MILLISECONDS)
          .execute(this::expire);
    }
  }

  private void expire() {
    stop(
        new BackupException.Stopped(
            CoreFailure.DEADLINE_EXCEEDED, "the deadline of the run has passed"));
  }

  /** Stops the run because somebody wants it. */
  public void cancel() {
    stop(new BackupException.Stopped(CoreFailure.CANCELLED, "the run was cancelled"));
  }

  private void stop(BackupException.Stopped why) {
    List<Runnable> toRun;
    synchronized (this) {
      if (reason != null || isClosed) {
        return;
      }
      reason = why;
      notifyAll();
      toRun = List.copyOf(actions);
      actions.clear();
    }
    runAll(toRun);
  }

  /** All of them, whatever one of them throws. */
  private static void runAll(List<Runnable> toRun) {
    RuntimeException failure = null;
    for (Runnable action : toRun) {
      try {
        action.run();
      } catch (RuntimeException e) {
        failure = failure == null ? e : suppressing(failure, e);
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  private static RuntimeException suppressing(RuntimeException first, RuntimeException other) {
    if (first != other) {
      first.addSuppressed(other);
    }
    return first;
  }

  @Override
  public void check() throws BackupException.Stopped {
    if (Thread.currentThread().isInterrupted()) {
      cancel();
    }
    BackupException.Stopped why;
    synchronized (this) {
      if (reason == null && deadline != null && clock.instant().isAfter(deadline)) {
        why = null;
      } else if (reason == null) {
        return;
      } else {
        why = reason;
      }
    }
    if (why == null) {
      expire();
      check();
      return;
    }
    throw new BackupException.Stopped(why.code(), why.detail());
  }

  @Override
  public synchronized boolean isStopping() {
    return reason != null;
  }

  /** Waits so long, or until it is stopped. */
  synchronized void await(Duration time) throws InterruptedException {
    long end = System.nanoTime() + time.toNanos();
    for (long left = time.toNanos(); reason == null && left > 0; left = end - System.nanoTime()) {
      wait(Math.max(1, left / 1_000_000));
    }
  }

  /**
   * Waits so long.
   *
   * @throws BackupException.Stopped as soon as it is stopped, or the thread was interrupted
   */
  public void sleep(Duration time) throws BackupException.Stopped {
    try {
      await(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    check();
  }

  @Override
  public Closeable onStop(Runnable action) {
    synchronized (this) {
      if (reason == null) {
        actions.add(action);
        return () -> remove(action);
      }
    }
    action.run();
    return () -> {};
  }

  private synchronized void remove(Runnable action) {
    actions.remove(action);
  }

  /** The run is over: later requests do nothing. */
  @Override
  public synchronized void close() {
    isClosed = true;
    actions.clear();
  }
}
