package org.stellaops.backup.mongo.internal.restore;

import com.mongodb.MongoException;
import java.io.IOException;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.spi.Stopping;

/**
 * Tries again what a lost connection or a new primary has ended. What is tried may have been done
 * all the same, so it has to bear being done twice.
 */
record Retrying(Stopping stopping) {
  static final int ATTEMPTS = 6;

  private static final long FIRST_PAUSE_MILLIS = 50;

  /** One attempt. */
  @FunctionalInterface
  interface Attempt<T> {
    T run(int number) throws IOException;
  }

  <T> T call(Attempt<T> attempt) throws IOException {
    for (int number = 1; ; number++) {
      try {
        return attempt.run(number);
      } catch (MongoException e) {
        stopping.check(); // a stop closes the connection, and is then the reason
        if (number >= ATTEMPTS || !DriverErrors.isTransient(e)) {
          throw e;
        }
      }
      pause(number);
    }
  }

  /** Twice as long each time: an election takes seconds. */
  void pause(int number) throws BackupException.Stopped {
    try {
      Thread.sleep(FIRST_PAUSE_MILLIS << number);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BackupException.Stopped(CoreFailure.CANCELLED, "restore: interrupted");
    }
  }
}
