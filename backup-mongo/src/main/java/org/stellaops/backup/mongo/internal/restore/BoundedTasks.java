package org.stellaops.backup.mongo.internal.restore;

import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * Several tasks under way at once, and no more than there is room for: whoever brings one waits.
 * The first that fails ends it all, at the next task that is brought or at the end.
 */
final class BoundedTasks implements AutoCloseable {
  private final Executor executor;
  private final int permits;
  private final Semaphore room;
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  BoundedTasks(Executor executor, int permits) {
    this.executor = executor;
    this.permits = permits;
    this.room = new Semaphore(permits);
  }

  /** What is done; not begun where another one failed before. */
  @FunctionalInterface
  interface Task {
    void run() throws IOException;
  }

  /**
   * Waits for room, and begins.
   *
   * @param weight how many others' room it takes; one that takes more than there is runs alone
   */
  void submit(int weight, Task task) throws IOException {
    requireSound();
    int taken = Math.max(1, Math.min(weight, permits));
    acquire(taken);
    boolean isTaken = false;
    try {
      executor.execute(() -> run(task, taken));
      isTaken = true;
    } finally {
      if (!isTaken) {
        room.release(taken);
      }
    }
  }

  private void run(Task task, int taken) {
    try {
      if (failure.get() == null) {
        task.run();
      }
    } catch (IOException | RuntimeException | Error e) {
      failure.compareAndSet(null, e);
    } finally {
      room.release(taken);
    }
  }

  private void acquire(int taken) throws BackupException.Stopped {
    try {
      room.acquire(taken);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BackupException.Stopped(CoreFailure.CANCELLED, "restore: interrupted");
    }
  }

  /** Waits for all of them. */
  void await() throws IOException {
    close();
    requireSound();
  }

  /** Throws what the first that failed has thrown. */
  void requireSound() throws IOException {
    Throwable first = failure.get();
    if (first instanceof IOException e) {
      throw e;
    }
    if (first instanceof RuntimeException e) {
      throw e;
    }
    if (first instanceof Error e) {
      throw e;
    }
  }

  /** Waits for all of them, whatever became of them. */
  @Override
  public void close() {
    room.acquireUninterruptibly(permits);
    room.release(permits);
  }
}
