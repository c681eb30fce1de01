package org.stellaops.backup.mongo.internal.capture;

import com.mongodb.MongoException;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.bson.BsonTimestamp;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.Consistency;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.QuiesceHook;
import org.stellaops.backup.mongo.internal.archive.Layout;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.oplog.OplogReader;
import org.stellaops.backup.spi.Form;

/**
 * Down the ladder: each level holds the database together in its own way while a pass is made, and
 * the first that holds to the end is the one that is claimed.
 */
final class Climb {
  private static final int MAX_PASSES = 3;

  private final Capturing capturing;
  private final RawDatabase admin;
  private final Ladder ladder;

  Climb(Capturing capturing, RawDatabase admin, Ladder ladder) {
    this.capturing = capturing;
    this.admin = admin;
    this.ladder = ladder;
  }

  /**
   * What was captured, at the best level that held.
   *
   * @throws BackupException.Source if none did that was allowed
   */
  DatabaseArchive capture() throws IOException {
    for (int i = 0; ; i++) {
      Consistency level = ladder.levels().get(i);
      try {
        return hold(level);
      } catch (NotHeldException e) {
        capturing.session().stopping().check();
        if (i + 1 == ladder.levels().size()) {
          throw new BackupException.Source(
              MongoFailure.CONSISTENCY_NOT_REACHED,
              "database %s could not be captured as %s: %s"
                  .formatted(capturing.database().name(), level, e.reason()),
              e);
        }
        report(level, ladder.levels().get(i + 1), e);
      }
    }
  }

  private void report(Consistency level, Consistency next, NotHeldException e) {
    capturing
        .session()
        .finding(
            new Finding(
                MongoFailure.LESS_CONSISTENT,
                capturing.database().name(),
                "%s did not hold: %s; tried %s instead".formatted(level, e.reason(), next)));
  }

  private DatabaseArchive hold(Consistency level) throws IOException {
    return switch (level) {
      case SNAPSHOT -> repeat(this::inSnapshot);
      case OPLOG_FENCED -> repeat(this::fenced);
      case FSYNC_LOCKED -> locked();
      case QUIESCED -> quiesced();
      case NONE -> make(Pass.plain(Consistency.NONE, Occupancy.of(capturing.database())));
    };
  }

  /** One way to make a pass. */
  @FunctionalInterface
  private interface Way {
    DatabaseArchive capture() throws IOException;
  }

  private DatabaseArchive repeat(Way way) throws IOException {
    for (int pass = 1; ; pass++) {
      try {
        return way.capture();
      } catch (NotHeldException e) {
        if (!e.isWorthAnotherPass() || pass == MAX_PASSES) {
          throw e;
        }
        capturing.session().stopping().check();
      }
    }
  }

  /** Collections are listed before the time is chosen: what is listed is there at that time. */
  private DatabaseArchive inSnapshot() throws IOException {
    Occupancy before = Occupancy.withoutCounts(capturing.database());
    Optional<BsonTimestamp> open = openSince();
    BsonTimestamp at =
        capturing
            .database()
            .majorityTime()
            .orElseThrow(
                () -> NotHeldException.forGood("the server tells no time of a majority", null));
    return make(Pass.snapshot(before, at, open.orElse(at)));
  }

  /**
   * Where the oldest transaction began that may be open: a replay of it needs its beginning. Takes
   * a right that readers do not have, so it is not insisted on; then such a replay ends there.
   */
  private Optional<BsonTimestamp> openSince() {
    try {
      return Optional.of(new OplogReader(capturing.database().client()).start());
    } catch (MongoException e) {
      if (DriverErrors.isUnreachable(e)) {
        throw e;
      }
      return Optional.empty();
    }
  }

  /** Listed behind the fence: an index that comes later is in the oplog. */
  private DatabaseArchive fenced() throws IOException {
    Fence fence =
        OplogFenced.around(
            capturing.database().client(),
            capturing.database().name(),
            capturing.session().stopping());
    return make(Pass.fenced(Occupancy.withoutCounts(capturing.database()), fence));
  }

  private DatabaseArchive locked() throws IOException {
    Duration atMost = Objects.requireNonNull(capturing.policy().lockAtMost(), "on the ladder");
    FsyncLock lock = FsyncLock.take(admin, atMost, capturing.session());
    DatabaseArchive archive;
    try {
      archive = make(Pass.locked(Occupancy.of(capturing.database()), lock));
    } catch (IOException | RuntimeException e) {
      unlock(lock, e);
      throw e;
    }
    lock.unlock();
    return archive;
  }

  private static void unlock(FsyncLock lock, Exception because) {
    try {
      lock.unlock();
    } catch (BackupException.Source e) {
      because.addSuppressed(e);
    }
  }

  private DatabaseArchive quiesced() throws IOException {
    QuiesceHook hook = Objects.requireNonNull(capturing.policy().quiesce(), "on the ladder");
    Closeable paused = hook.quiesce();
    try {
      return make(Pass.plain(Consistency.QUIESCED, Occupancy.of(capturing.database())));
    } finally {
      resume(paused);
    }
  }

  /** The capture is what it is, whether or not the application goes on. */
  private void resume(Closeable paused) {
    try {
      paused.close();
    } catch (IOException | RuntimeException e) {
      capturing
          .session()
          .finding(
              new Finding(
                  MongoFailure.NOT_RESUMED,
                  capturing.database().name(),
                  "the quiesce hook failed when it was closed: " + e.getClass().getSimpleName()));
    }
  }

  private DatabaseArchive make(Pass pass) throws IOException {
    DatabaseArchive archive = new DatabaseArchive(capturing, pass);
    capturing
        .session()
        .artifact(Layout.archiveOf(capturing.database().name()), Form.CONTENT, archive::writeTo);
    return archive;
  }
}
