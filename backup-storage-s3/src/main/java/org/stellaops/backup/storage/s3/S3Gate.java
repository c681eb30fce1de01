package org.stellaops.backup.storage.s3;

import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.Stopping;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;

/**
 * How many requests may be under way: one more after a round of good replies, half as many after
 * one that says "slow down". Additive increase and multiplicative decrease find the rate that a
 * server bears without being told it, and share it fairly with others who do the same.
 */
final class S3Gate implements ExecutionInterceptor {
  private static final int MOST = 64;
  private static final int FIRST = 16;

  private double limit = FIRST;
  private int underWay;

  /** Waits for a place. */
  synchronized void enter(Stopping stopping) throws BackupException.Stopped {
    stopping.check();
    while (underWay >= (int) limit) {
      try {
        wait(1000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new BackupException.Stopped(
            CoreFailure.CANCELLED, "interrupted while waiting for a store");
      }
      stopping.check();
    }
    underWay++;
  }

  /** Gives the place back. */
  synchronized void leave() {
    underWay--;
    notifyAll();
  }

  /** How many may be under way. */
  synchronized int limit() {
    return (int) limit;
  }

  @Override
  public void afterTransmission(Context.AfterTransmission context, ExecutionAttributes attributes) {
    int status = context.httpResponse().statusCode();
    if (status == 503 || status == 429) {
      slower();
    } else if (status < 400) {
      faster();
    }
  }

  private synchronized void slower() {
    limit = Math.max(1, limit / 2);
  }

  private synchronized void faster() {
    limit = Math.min(MOST, limit + 1 / limit);
    notifyAll();
  }
}
