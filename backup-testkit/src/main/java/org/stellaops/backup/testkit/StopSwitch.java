package org.stellaops.backup.testkit;

import java.io.Closeable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.Stopping;

/**
 * A {@link Stopping} that a test throws by hand, and that counts the registrations nobody has
 * closed. All methods from any thread.
 */
public final class StopSwitch implements Stopping {
  private final Map<Object, Runnable> waiting = new LinkedHashMap<>();
  private int openRegistrations;
  private boolean stopped;

  /** Not stopped yet. */
  public StopSwitch() {}

  /** Stops, and runs every registered action on this thread before it returns. Idempotent. */
  public void stop() {
    List<Runnable> due;
    synchronized (this) {
      stopped = true;
      due = new ArrayList<>(waiting.values());
      waiting.clear();
    }
    due.forEach(Runnable::run);
  }

  /** How many registrations of {@link #onStop} have not been closed. */
  public synchronized int openRegistrations() {
    return openRegistrations;
  }

  @Override
  public void check() throws BackupException.Stopped {
    if (isStopping()) {
      throw new BackupException.Stopped(CoreFailure.CANCELLED, "the test stopped the run");
    }
  }

  @Override
  public synchronized boolean isStopping() {
    return stopped;
  }

  @Override
  public Closeable onStop(Runnable action) {
    Object key = new Object();
    boolean isDue;
    synchronized (this) {
      openRegistrations++;
      isDue = stopped;
      if (!isDue) {
        waiting.put(key, action);
      }
    }
    if (isDue) {
      action.run();
    }
    return new Registration(key);
  }

  private synchronized void unregister(Object key) {
    openRegistrations--;
    waiting.remove(key);
  }

  private final class Registration implements Closeable {
    private final Object key;
    private boolean isClosed;

    Registration(Object key) {
      this.key = key;
    }

    @Override
    public synchronized void close() {
      if (!isClosed) {
        isClosed = true;
        unregister(key);
      }
    }
  }
}
