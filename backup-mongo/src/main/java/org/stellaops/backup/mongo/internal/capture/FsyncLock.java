package org.stellaops.backup.mongo.internal.capture;

import com.mongodb.MongoException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonNumber;
import org.bson.BsonValue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.spi.CaptureSession;

/**
 * A server that refuses writes for a while. It is unlocked once, by whoever comes first: the end of
 * the reading, or a clock that does not wait for it.
 *
 * <p>A process that is killed leaves the server locked, so what to do then is said before.
 */
final class FsyncLock {
  private static final Logger LOG = LoggerFactory.getLogger(FsyncLock.class);
  private static final String COMMAND = "db.fsyncUnlock()";

  private final RawDatabase admin;
  private final AtomicBoolean isHeld = new AtomicBoolean(true);
  private final AtomicBoolean isOverdue = new AtomicBoolean();
  private final CompletableFuture<Void> watchdog;

  private FsyncLock(RawDatabase admin, Duration atMost) {
    this.admin = admin;
    this.watchdog =
        CompletableFuture.runAsync(
            this::giveUp,
            CompletableFuture.delayedExecutor(atMost.toMillis(), TimeUnit.MILLISECONDS));
  }

  /**
   * Locks the server.
   *
   * @param admin over connections that reading does not use up
   * @throws NotHeldException if it refuses
   * @throws BackupException.Source STILL_LOCKED if its answer was lost: it may be locked
   */
  static FsyncLock take(RawDatabase admin, Duration atMost, CaptureSession session)
      throws IOException {
    String recovery =
        "writes are locked while it is read; should this process die, run %s".formatted(COMMAND);
    LOG.info(recovery);
    session.finding(new Finding(MongoFailure.WRITES_LOCKED, "server", recovery));
    BsonDocument lock =
        new BsonDocument("fsync", new BsonInt32(1)).append("lock", BsonBoolean.TRUE);
    try {
      admin.run(lock);
    } catch (MongoException e) {
      if (DriverErrors.isUnreachable(e)) {
        throw new BackupException.Source(
            MongoFailure.STILL_LOCKED,
            "fsync with lock: %s, and nobody knows whether it is locked. hint: run %s if it is"
                .formatted(DriverErrors.describe(e), COMMAND),
            e);
      }
      throw NotHeldException.forGood(
          "fsync with lock: " + DriverErrors.describe(e) + DriverErrors.missing(e), e);
    }
    return new FsyncLock(admin, atMost);
  }

  /** Whether the clock unlocked it, and reading may have met writes. */
  boolean isOverdue() {
    return isOverdue.get();
  }

  private void giveUp() {
    isOverdue.set(true);
    try {
      unlock();
    } catch (BackupException.Source e) {
      LOG.error("{}", e.getMessage());
    }
  }

  /**
   * Unlocks it, where that has not been done.
   *
   * @throws BackupException.Source if the server is still locked
   */
  void unlock() throws BackupException.Source {
    watchdog.cancel(false);
    if (!isHeld.getAndSet(false)) {
      return;
    }
    try {
      BsonDocument reply = admin.run(new BsonDocument("fsyncUnlock", new BsonInt32(1)));
      BsonValue count = reply.get("lockCount");
      if (count instanceof BsonNumber locks && locks.longValue() > 0) {
        LOG.warn("others hold {} locks", locks.longValue());
      }
    } catch (MongoException e) {
      throw new BackupException.Source(
          MongoFailure.STILL_LOCKED,
          "fsyncUnlock: %s. hint: run %s".formatted(DriverErrors.describe(e), COMMAND),
          e);
    }
  }
}
