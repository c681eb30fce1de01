package org.stellaops.backup.spi;

import java.io.Closeable;
import org.stellaops.backup.model.BackupException;

/** Cooperative cancellation and deadline. All methods from any thread. */
public interface Stopping {
  /**
   * To be called now and then by whoever works long.
   *
   * @throws BackupException.Stopped if the run was cancelled or its deadline has passed
   */
  void check() throws BackupException.Stopped;

  /** Whether {@link #check} would throw. */
  boolean isStopping();

  /**
   * Runs {@code action} once when the run is stopped, at once where it already is: close the socket
   * there. The caller closes the registration when the socket is gone.
   */
  Closeable onStop(Runnable action);

  /** Never stops. */
  static Stopping never() {
    return NeverStopping.INSTANCE;
  }
}
