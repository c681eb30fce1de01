package org.stellaops.backup.mongo;

import com.mongodb.client.MongoClient;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.mongo.internal.archive.Layout;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.capture.CapturePolicy;
import org.stellaops.backup.mongo.internal.capture.DatabaseCapture;
import org.stellaops.backup.mongo.internal.capture.SourceChecks;
import org.stellaops.backup.mongo.internal.driver.Access;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.SourceDescription;

/**
 * One MongoDB database, captured over the wire while it is in use: no tool, no agent, no access to
 * its host. The artifact is what {@code mongodump --archive --db} writes, so {@code mongorestore
 * --archive} reads it without us; a second one, {@code mongo-meta.bson}, holds counts and digests.
 *
 * <p>Documents are copied byte for byte and never decoded. Indexes, options, views, empty and
 * capped collections come along, and time series of servers before 8.3; {@code system.*}
 * collections do not, except {@code system.js}; users and roles with {@link #usersAndRoles}.
 *
 * <p>Several collections are read at a time, and as consistently with each other as the server
 * allows: see {@link Consistency} and {@link #require}. What was reached is the property {@code
 * consistency} of the capture. At {@link Consistency#NONE} a change of counts, sizes or definitions
 * is a finding {@link MongoFailure#CHANGED_DURING_CAPTURE}.
 *
 * <p>Needs the role {@code read} on the database, and {@code find} on {@code system.buckets.*}
 * where there are time series (the role {@code backup} has it). An immutable value; any thread.
 */
public final class MongoSource implements BackupSource {
  private static final int MAX_PARALLELISM = 16;

  private final Access access;
  private final String database;
  private final List<String> expected;
  private final CapturePolicy policy;

  private MongoSource(Access access, String database, List<String> expected, CapturePolicy policy) {
    this.access = access;
    this.database = Namespace.requireDatabase(database);
    this.expected = List.copyOf(expected);
    this.policy = policy;
  }

  private MongoSource(Access access, String database) {
    this(access, database, List.of(), CapturePolicy.standard());
  }

  /**
   * A database of a server that the application is connected to. The client stays the caller's and
   * has to be open whenever the source is used.
   *
   * @throws IllegalArgumentException if no database can have this name
   */
  public static MongoSource database(MongoClient client, String db) {
    return new MongoSource(Access.lent(Objects.requireNonNull(client)), db);
  }

  /**
   * A database that is connected to for each capture and each check. What the supplier gives is
   * closed as soon as it is read, so it has to give a new one each time.
   *
   * @param connectionString {@code mongodb://…} or {@code mongodb+srv://…} with credentials
   * @throws IllegalArgumentException if no database can have this name
   */
  public static MongoSource database(Supplier<Secret> connectionString, String db) {
    return new MongoSource(Access.connecting(Objects.requireNonNull(connectionString)), db);
  }

  /**
   * The same, with collections or views that have to be there. One that is not makes the capture
   * degraded, and the check warn.
   */
  public MongoSource expect(String... collections) {
    List<String> all = new ArrayList<>(expected);
    all.addAll(List.of(collections));
    return new MongoSource(access, database, all, policy);
  }

  /**
   * The same, with a level that has to be reached. A server that cannot is refused before anything
   * is read, with the reason; {@link Consistency#NONE} says that nothing need be reached. Without
   * this the best level is taken that can be had, and {@code NONE} is a warning.
   */
  public MongoSource require(Consistency atLeast) {
    return with(policy.requiring(Objects.requireNonNull(atLeast)));
  }

  /** The same, with a way to hold writes back, used where the server offers nothing better. */
  public MongoSource quiesce(QuiesceHook hook) {
    return with(policy.quiescing(Objects.requireNonNull(hook)));
  }

  /**
   * The same, allowed to lock the server against all writes, of all databases, where it offers
   * nothing better. Needs the privileges {@code fsync} and {@code unlock} on the cluster. A process
   * that is killed meanwhile leaves the server locked; what to do then is logged before.
   *
   * @param atMost after this the server is unlocked whatever happens, and the level is not reached
   */
  public MongoSource fsyncLock(Duration atMost) {
    if (atMost.isNegative() || atMost.isZero()) {
      throw new IllegalArgumentException("a lock of at most " + atMost);
    }
    return with(policy.locking(atMost));
  }

  /**
   * The same, reading so many collections at a time; by default as many as there are cores, at most
   * 4. Each takes a connection and up to 32 MiB.
   */
  public MongoSource parallelism(int collections) {
    if (collections < 1 || collections > MAX_PARALLELISM) {
      throw new IllegalArgumentException(
          "%d collections at a time, expected 1 to %d".formatted(collections, MAX_PARALLELISM));
    }
    return with(policy.reading(collections));
  }

  /**
   * The same, with the database's users and roles: those whose {@code db} is this one, together
   * with what the server keeps of their passwords. They are in the archive as {@code mongodump
   * --dumpDbUsersAndRoles} has them, and nowhere else. Needs {@code find} on {@code
   * admin.system.users}, {@code admin.system.roles} and {@code admin.system.version} (the role
   * {@code backup} has it).
   */
  public MongoSource usersAndRoles() {
    return with(policy.withUsers());
  }

  /** The same, asking for replies of this size, and cutting larger collections into ranges. */
  MongoSource sized(int batchBytes, long splitBytes) {
    return with(policy.sized(batchBytes, splitBytes));
  }

  private MongoSource with(CapturePolicy other) {
    return new MongoSource(access, database, expected, other);
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of(Layout.KIND, Component.DATABASE, Stage.DOCUMENTS);
  }

  @Override
  public void check(Checks checks) throws IOException {
    try (Access.Lease lease = access.lease()) {
      RawDatabase raw = new RawDatabase(lease.client(), database);
      new SourceChecks(raw, policy, checks).run(expected);
    } catch (BackupException.Source e) {
      checks.add(
          CheckResult.fail(
              SourceChecks.CONNECTIVITY, String.valueOf(e.getMessage()), e.code().remedy()));
    }
  }

  @Override
  @SuppressWarnings("try") // the registration is only there to be closed
  public void capture(CaptureSession session) throws IOException {
    try (Access.Lease lease = access.lease();
        Closeable stop = session.stopping().onStop(lease::close)) {
      capture(session, lease.client());
    } catch (IllegalStateException e) { // so a client answers that was closed by the stop
      session.stopping().check();
      throw e;
    }
  }

  /** A lock is taken and released over a client that a stop does not close. */
  private void capture(CaptureSession session, MongoClient client) throws IOException {
    if (policy.lockAtMost() == null) {
      capture(session, client, client);
      return;
    }
    try (Access.Lease locking = access.lease()) {
      capture(session, client, locking.client());
    }
  }

  private void capture(CaptureSession session, MongoClient client, MongoClient locking)
      throws IOException {
    RawDatabase raw = new RawDatabase(client, database);
    new DatabaseCapture(raw, new RawDatabase(locking, "admin"), policy, session).run(expected);
  }

  /** The same database of the same server; refuses to overwrite unless told otherwise. */
  @Override
  public Optional<RestoreTarget> origin() {
    return Optional.of(new MongoTarget(access, database, MongoTarget.Existing.REFUSE));
  }

  @Override
  public String toString() {
    return "MongoSource[" + database + "]";
  }
}
