package org.stellaops.backup.mongo;

import com.mongodb.MongoException;
import com.mongodb.client.MongoClient;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.driver.Access;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.oplog.FollowSettings;
import org.stellaops.backup.mongo.internal.oplog.OplogFollowing;
import org.stellaops.backup.mongo.internal.oplog.OplogReader;
import org.stellaops.backup.mongo.internal.oplog.OplogSelection;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.ContinuousSource;
import org.stellaops.backup.spi.SourceDescription;
import org.stellaops.backup.spi.StreamSession;

/**
 * The oplog of a replica set, recorded while it is written, so that any point in time can be
 * restored on top of a capture. A value; every setting returns another one.
 *
 * <p>What is recorded are the entries as they are, of the databases that were chosen, as soon as a
 * majority has them: none of them is ever rolled back. A term of the replica set is a branch of the
 * stream. A server does not keep entries for us: if nothing is recorded for longer than its oplog
 * reaches back, there is a gap, which is recorded and reported as a finding, and over which nothing
 * can be replayed. Take a full capture then.
 *
 * <p>Needs {@code find} on {@code local.oplog.rs}, {@code local.system.replset} and {@code
 * config.transactions}, which the role {@code backup} has.
 */
public final class MongoOplog implements ContinuousSource {
  /** Format of what is recorded. */
  static final String KIND = "mongo-oplog/1";

  private static final String CONNECTIVITY = "check.mongo.connectivity";
  private static final String PRIVILEGES = "check.mongo.oplog-privileges";
  private static final String WINDOW = "check.mongo.oplog-window";
  private static final int UNIT_BYTES = 16 << 20;
  private static final Duration FLUSH_WITHIN = Duration.ofSeconds(1);
  private static final Duration MERGE_EVERY = Duration.ofMinutes(10);
  private static final Duration ENOUGH = Duration.ofHours(24);

  private final Access access;
  private final Set<String> databases;
  private final Duration flushWithin;
  private final Duration expectedWindow;

  private MongoOplog(
      Access access, Set<String> databases, Duration flushWithin, Duration expectedWindow) {
    this.access = access;
    this.databases = Set.copyOf(databases);
    this.flushWithin = flushWithin;
    this.expectedWindow = expectedWindow;
  }

  /**
   * The oplog of a replica set that the application is connected to. The client stays the caller's,
   * and has to be open as long as the stream is.
   */
  public static MongoOplog of(MongoClient client) {
    return new MongoOplog(
        Access.lent(Objects.requireNonNull(client)), Set.of(), FLUSH_WITHIN, ENOUGH);
  }

  /**
   * The oplog of a replica set that is connected to each time. What the supplier gives is closed as
   * soon as it is read, so it has to give a new one each time.
   */
  public static MongoOplog of(Supplier<Secret> connectionString) {
    return new MongoOplog(
        Access.connecting(Objects.requireNonNull(connectionString)),
        Set.of(),
        FLUSH_WITHIN,
        ENOUGH);
  }

  /**
   * Records what concerns these databases only; all but {@code admin}, {@code config} and {@code
   * local} unless said.
   *
   * @throws IllegalArgumentException if no database can have such a name
   */
  public MongoOplog databases(String... names) {
    Set<String> chosen = new TreeSet<>();
    for (String name : names) {
      chosen.add(Namespace.requireDatabase(name));
    }
    return new MongoOplog(access, chosen, flushWithin, expectedWindow);
  }

  /**
   * Stores what has arrived within so long; one second unless said. Nothing is stored while nothing
   * of interest arrives, except every ten minutes how far it was seen.
   */
  public MongoOplog flushWithin(Duration time) {
    requirePositive(time);
    return new MongoOplog(access, databases, time, expectedWindow);
  }

  /** How far back the server's oplog should reach, or the check warns; 24 hours unless said. */
  public MongoOplog expectWindow(Duration time) {
    requirePositive(time);
    return new MongoOplog(access, databases, flushWithin, time);
  }

  private static void requirePositive(Duration time) {
    if (time.isNegative() || time.isZero()) {
      throw new IllegalArgumentException("a time of " + time + ", expected more than none");
    }
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of(KIND, Component.DATABASE, Stage.DOCUMENTS);
  }

  @Override
  public void check(Checks checks) throws IOException {
    try (Access.Lease lease = access.lease()) {
      OplogReader reader = new OplogReader(lease.client());
      String name = reader.replicaSet();
      checks.add(CheckResult.pass(CONNECTIVITY, "replica set " + name));
      checkOplog(reader, checks);
    } catch (BackupException.Refused | BackupException.Source e) {
      checks.add(CheckResult.fail(CONNECTIVITY, e.detail(), e.code().remedy()));
    } catch (MongoException e) {
      checks.add(
          CheckResult.fail(
              CONNECTIVITY, DriverErrors.describe(e), MongoFailure.UNREACHABLE.remedy()));
    }
  }

  private void checkOplog(OplogReader reader, Checks checks) {
    try {
      reader.start();
      Optional<Duration> window = reader.window();
      checks.add(CheckResult.pass(PRIVILEGES, "the oplog and open transactions can be read"));
      checkWindow(window.orElse(Duration.ZERO), checks);
    } catch (MongoException e) {
      checks.add(
          CheckResult.fail(
              PRIVILEGES,
              DriverErrors.describe(e)
                  + ". needed is find on local.oplog.rs and config.transactions",
              "grant the role backup, or these rights"));
    }
  }

  private void checkWindow(Duration window, Checks checks) {
    String found = "the oplog reaches %d hours back".formatted(window.toHours());
    if (window.compareTo(expectedWindow) >= 0) {
      checks.add(CheckResult.pass(WINDOW, found));
    } else {
      checks.add(
          CheckResult.warn(
              WINDOW,
              "%s, %d are expected: a longer pause of the recording leaves a gap"
                  .formatted(found, expectedWindow.toHours()),
              "db.adminCommand({replSetResizeOplog: 1, size: <MB>, minRetentionHours: %d}) on every member"
                  .formatted(expectedWindow.toHours())));
    }
  }

  @Override
  public void follow(StreamSession session) throws IOException {
    OplogSelection selection =
        databases.isEmpty() ? OplogSelection.everything() : OplogSelection.databases(databases);
    FollowSettings settings =
        new FollowSettings(selection, flushWithin, MERGE_EVERY, MERGE_EVERY, UNIT_BYTES);
    try (Access.Lease lease = access.lease()) {
      new OplogFollowing(lease.client(), settings, session).run();
    }
  }

  @Override
  public String toString() {
    return "MongoOplog[%s%s]"
        .formatted(access.describe(), databases.isEmpty() ? "" : " " + new TreeSet<>(databases));
  }
}
