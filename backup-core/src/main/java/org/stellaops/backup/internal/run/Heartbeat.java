package org.stellaops.backup.internal.run;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RunId;

/**
 * Shows three times within its lease that a run lives, on a thread of its own. A run shorter than a
 * third of its lease stores no beat. A beat that cannot be stored is missed, no more.
 */
final class Heartbeat implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(Heartbeat.class);
  private static final int BEATS_A_LEASE = 3;

  /** A store that hangs keeps no run from ending. */
  private static final Duration LONGEST_END = Duration.ofSeconds(10);

  private final StoreAccess store;
  private final String writer;
  private final RunId run;
  private final Duration every;
  private final Thread thread;
  private long number;
  private boolean isOver;

  private Heartbeat(StoreAccess store, String writer, RunId run, Duration lease) {
    this.store = store;
    this.writer = writer;
    this.run = run;
    this.every = lease.dividedBy(BEATS_A_LEASE);
    this.thread = new Thread(this::beat, "stella-backup-beat");
    thread.setDaemon(true);
  }

  /** Begins. */
  static Heartbeat of(StoreAccess store, String writer, RunId run, Duration lease) {
    Heartbeat heartbeat = new Heartbeat(store, writer, run, lease);
    heartbeat.thread.start();
    return heartbeat;
  }

  private void beat() {
    while (awaitNext()) {
      // A number is used once: a put that failed may have been done all the same.
      number++;
      try {
        store.putBeat(Names.beat(writer, run, number));
        delete(number - 1);
      } catch (IOException | RuntimeException e) {
        LOG.debug("run {} missed a beat", run, e);
      }
    }
    delete(number);
  }

  private void delete(long old) {
    if (old == 0) {
      return;
    }
    ObjectName beat = Names.beat(writer, run, old);
    try {
      store.delete(beat);
    } catch (IOException | RuntimeException e) {
      LOG.debug("{} stays, and means nothing", beat, e);
    }
  }

  /** Waits; returns whether the run goes on. */
  private synchronized boolean awaitNext() {
    long end = System.nanoTime() + every.toNanos();
    try {
      for (long left = every.toNanos(); !isOver && left > 0; left = end - System.nanoTime()) {
        wait(Math.max(1, left / 1_000_000));
      }
    } catch (InterruptedException e) {
      return false;
    }
    return !isOver;
  }

  /** The run has ended, or stops to show that it lives. */
  @Override
  public void close() {
    synchronized (this) {
      isOver = true;
      notifyAll();
    }
    boolean wasInterrupted = Thread.interrupted();
    try {
      thread.join(LONGEST_END.toMillis());
    } catch (InterruptedException e) {
      wasInterrupted = true;
    }
    if (wasInterrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
