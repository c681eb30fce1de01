package org.stellaops.backup.internal.cloud;

import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.Stopping;

/**
 * How many requests may be under way: one more after a round of good replies, half as many after
 * one that says "slow down". Additive increase and multiplicative decrease find the rate that a
 * server bears without being told it, and share it fairly with others who do the same. From any
 * thread; whoever has a place asks for no second one.
 */
public final class Gate {
  /** As many as a store is ever asked at once. */
  static final int MOST = 64;

  /** As many at first. */
  static final int FIRST = 16;

  private static final int LOOK_AGAIN_MILLIS = 1000;

  private double limit = FIRST;
  private int underWay;

  /** Waits for a place. */
  public synchronized void enter(Stopping stopping) throws BackupException.Stopped {
    stopping.check();
    while (underWay >= (int) limit) {
      try {
        wait(LOOK_AGAIN_MILLIS);
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
  public synchronized void leave() {
    underWay--;
    notifyAll();
  }

  /** A good reply came. */
  public synchronized void faster() {
    limit = Math.min(MOST, limit + 1 / limit);
    notifyAll();
  }

  /** The store asked for fewer requests. */
  public synchronized void slower() {
    limit = Math.max(1, limit / 2);
  }

  /** How many may be under way: 1 to 64. */
  public synchronized int limit() {
    return (int) limit;
  }
}
