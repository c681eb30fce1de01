package org.stellaops.backup.internal.run;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What is under way, so that whoever closes can stop it and wait for its end. From any thread. */
public final class UnderWay {
  private final Map<StopSignal, Thread> threads = new HashMap<>();
  private boolean isClosed;

  /** Nothing is under way. */
  public UnderWay() {}

  /**
   * Something begins on this thread.
   *
   * @throws IllegalStateException after {@link #stop}
   */
  public void begin(StopSignal work) {
    begin(work, Thread.currentThread());
  }

  /**
   * Something begins on that thread.
   *
   * @throws IllegalStateException after {@link #stop}
   */
  synchronized void begin(StopSignal work, Thread on) {
    if (isClosed) {
      throw new IllegalStateException("the repository is closed");
    }
    threads.put(work, on);
  }

  /** It has ended. */
  public synchronized void end(StopSignal work) {
    threads.remove(work);
    notifyAll();
  }

  /**
   * Stops everything, waits until it has ended, and lets nothing begin any more.
   *
   * @throws IllegalStateException if called by what is under way, which would wait for itself; it
   *     is stopped nevertheless
   */
  public void stop() {
    for (StopSignal work : toStop()) {
      work.cancel();
    }
    awaitEnd();
  }

  private synchronized List<StopSignal> toStop() {
    isClosed = true;
    return List.copyOf(threads.keySet());
  }

  private synchronized void awaitEnd() {
    if (threads.containsValue(Thread.currentThread())) {
      throw new IllegalStateException(
          "closed from within a run, which can only be cancelled there");
    }
    boolean wasInterrupted = false;
    while (!threads.isEmpty()) {
      try {
        wait();
      } catch (InterruptedException e) {
        wasInterrupted = true;
      }
    }
    if (wasInterrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
