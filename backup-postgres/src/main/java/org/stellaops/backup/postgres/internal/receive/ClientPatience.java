package org.stellaops.backup.postgres.internal.receive;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * Interrupts threads that have waited for a client for too long, which closes its connection: the
 * JDK's server itself would wait for ever.
 */
final class ClientPatience implements Runnable {
  private final long nanos;
  private final Map<Thread, Long> begun = new HashMap<>();

  ClientPatience(Duration time) {
    this.nanos = time.toNanos();
  }

  /** From now on this thread waits for a client. */
  synchronized void begin() {
    begun.put(Thread.currentThread(), System.nanoTime());
  }

  /** It does not any more, and is not interrupted. */
  synchronized void end() {
    begun.remove(Thread.currentThread());
    Thread.interrupted();
  }

  @Override
  public synchronized void run() {
    long now = System.nanoTime();
    begun.forEach(
        (thread, since) -> {
          if (now - since > nanos) {
            thread.interrupt();
          }
        });
  }
}
