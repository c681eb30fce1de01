package org.stellaops.backup.storage.gcs;

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

/** Does again what failed in a way that may pass, and nothing else. */
final class Attempts {
  private final RetryPolicy policy;
  private final Stopping stopping;
  private final SplittableRandom random = new SplittableRandom();

  Attempts(RetryPolicy policy, Stopping stopping) {
    this.policy = policy;
    this.stopping = stopping;
  }

  <T> T make(GcsRequests.Request<T> request) throws IOException {
    for (int failed = 1; ; failed++) {
      stopping.check();
      try {
        return request.send();
      } catch (BackupException.Sink e) {
        if (e.reason() != Reason.TRANSIENT || failed >= policy.attempts()) {
          throw e;
        }
      }
      pause(delayAfter(failed));
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
