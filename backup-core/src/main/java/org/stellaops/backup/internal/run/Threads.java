package org.stellaops.backup.internal.run;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Where an engine's work runs: on the executor that it was given, or on threads of its own, which
 * are few, named, made when they are needed and gone when it is closed.
 */
public final class Threads implements AutoCloseable {
  /** A journaling file system commits for all who wait together; more than these gain little. */
  private static final int WAITING = 8;

  private final Executor working;
  private final Executor waiting;
  private final List<ExecutorService> own;

  private Threads(Executor working, Executor waiting, List<ExecutorService> own) {
    this.working = working;
    this.waiting = waiting;
    this.own = own;
  }

  /** Everything runs on {@code given}, which stays its owner's; or on threads of our own. */
  public static Threads of(@Nullable Executor given, int parallelism) {
    if (given != null) {
      return new Threads(given, given, List.of());
    }
    List<ExecutorService> own = new ArrayList<>();
    own.add(named("stella-backup-", parallelism));
    own.add(named("stella-backup-disk-", WAITING));
    return new Threads(own.get(0), own.get(1), own);
  }

  private static ExecutorService named(String prefix, int count) {
    AtomicInteger number = new AtomicInteger();
    return Executors.newFixedThreadPool(
        count,
        work -> {
          Thread thread = new Thread(work, prefix + number.incrementAndGet());
          thread.setDaemon(true);
          return thread;
        });
  }

  /** Waits for the end of a thread that is not the caller's, whoever interrupts the caller. */
  static void awaitEnd(Thread thread) {
    boolean wasInterrupted = false;
    while (thread.isAlive() && thread != Thread.currentThread()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        wasInterrupted = true;
      }
    }
    if (wasInterrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** For what computes. */
  public Executor working() {
    return working;
  }

  /** For what waits for disks, so that it keeps nothing that computes waiting. */
  public Executor waiting() {
    return waiting;
  }

  /** Lets what runs come to its end, and starts nothing more. */
  @Override
  public void close() {
    own.forEach(ExecutorService::shutdown);
  }
}
