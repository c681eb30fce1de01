package org.stellaops.backup.crypto.internal.age;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * Batches that were handed to an executor, oldest first.
 *
 * <p>A task runs once, for whoever begins it first: a thread of the executor, or the caller when it
 * wants the result. So the order is kept, the caller never waits for work that nobody does, and a
 * caller that is itself a task of a full executor cannot lock it up.
 *
 * @param <B> returns itself from {@code call}
 */
final class InFlight<B extends Callable<B>> {
  private final Executor executor;
  private final ArrayDeque<FutureTask<B>> tasks = new ArrayDeque<>();

  InFlight(Executor executor) {
    this.executor = executor;
  }

  boolean isEmpty() {
    return tasks.isEmpty();
  }

  void start(B batch) {
    var task = new FutureTask<>(batch);
    tasks.add(task);
    try {
      executor.execute(task);
    } catch (RejectedExecutionException e) {
      // The caller will run it: see removeOldest.
    }
  }

  /** The oldest batch, done. */
  B removeOldest() throws IOException {
    FutureTask<B> task = tasks.remove();
    task.run();
    try {
      return task.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BackupException.Stopped(
          CoreFailure.CANCELLED, "interrupted while waiting for a cipher");
    } catch (ExecutionException e) {
      throw asThrown(Objects.requireNonNull(e.getCause()));
    }
  }

  /** Forgets all batches; what has begun runs to its end unseen. */
  void cancel() {
    tasks.forEach(task -> task.cancel(false));
    tasks.clear();
  }

  private static IOException asThrown(Throwable cause) {
    if (cause instanceof IOException failure) {
      return failure;
    }
    if (cause instanceof RuntimeException mistake) {
      throw mistake;
    }
    if (cause instanceof Error error) {
      throw error;
    }
    throw new AssertionError("batches throw no other checked exception", cause);
  }
}
