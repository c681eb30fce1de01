package org.stellaops.backup.internal.cloud;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.store.RetryPolicy;

/**
 * Does again what failed in a way that may pass, and nothing else; so many at once as the store
 * bears. From any thread.
 */
public final class Attempts {
  private final RetryPolicy policy;
  private final Stopping stopping;
  private final Gate gate;
  private final SplittableRandom random = new SplittableRandom();

  /** Those of one store. */
  public Attempts(RetryPolicy policy, Stopping stopping, Gate gate) {
    this.policy = policy;
    this.stopping = stopping;
    this.gate = gate;
  }

  /**
   * Makes a request until it succeeds, fails for good, or was made often enough.
   *
   * @param request makes no other request through this: it has a place, and may wait for none
   */
  public <T> T make(Request<T> request) throws IOException {
    return again(
        () -> {
          T answer = once(request);
          gate.faster();
          return answer;
        });
  }

  /** The same with several requests that are made again as one, each by {@link #once}. */
  public <T> T again(Request<T> requests) throws IOException {
    for (int failed = 1; ; failed++) {
      try {
        return requests.send();
      } catch (BackupException.Sink e) {
        if (e.reason() != Reason.TRANSIENT || failed >= policy.attempts()) {
          throw e;
        }
      }
      pause(delayAfter(failed));
    }
  }

  /** Makes a request once, when there is a place for it. */
  public <T> T once(Request<T> request) throws IOException {
    gate.enter(stopping);
    try {
      return request.send();
    } catch (BackupException.Sink e) {
      if (e.code() == CoreFailure.STORE_BUSY) {
        gate.slower();
      }
      throw e;
    } finally {
      gate.leave();
    }
  }

  private synchronized Duration delayAfter(int failed) {
    return policy.delayAfter(failed, random);
  }

  /** Not longer than until everything is stopped. */
  private void pause(Duration delay) throws IOException {
    var stopped = new CountDownLatch(1);
    Closeable registration = stopping.onStop(stopped::countDown);
    try {
      if (stopped.await(delay.toNanos(), TimeUnit.NANOSECONDS)) {
        stopping.check();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BackupException.Stopped(
          CoreFailure.CANCELLED, "interrupted while waiting to try a store again");
    } finally {
      registration.close();
    }
  }
}
