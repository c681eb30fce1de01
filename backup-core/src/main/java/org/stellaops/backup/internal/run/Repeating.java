package org.stellaops.backup.internal.run;

import java.io.Closeable;
import java.time.Duration;

/** A task that is called again and again on a thread of its own until it is closed. */
final class Repeating implements Closeable {
  private final Duration period;
  private final Runnable task;
  private final Thread thread;
  private boolean isClosed;

  private Repeating(Duration period, Runnable task, String name) {
    this.period = period;
    this.task = task;
    this.thread = new Thread(this::run, name);
    this.thread.setDaemon(true);
  }

  /** For the first time at once. A task that throws is not called again. */
  static Closeable every(Duration period, Runnable task, String name) {
    Repeating repeating = new Repeating(period, task, name);
    repeating.thread.start();
    return repeating;
  }

  private void run() {
    try {
      do {
        task.run();
      } while (!pause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether it was closed meanwhile. */
  private synchronized boolean pause() throws InterruptedException {
    long end = System.nanoTime() + period.toNanos();
    for (long left = period.toNanos(); !isClosed && left > 0; left = end - System.nanoTime()) {
      wait(Math.max(1, left / 1_000_000));
    }
    return isClosed;
  }

  /** Waits for a call that is under way, but not for its own. */
  @Override
  public void close() {
    synchronized (this) {
      isClosed = true;
      notifyAll();
    }
    Threads.awaitEnd(thread);
  }
}
