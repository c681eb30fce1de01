package org.stellaops.backup.mongo;

import com.mongodb.MongoException;
import com.mongodb.client.MongoClient;
import java.io.Closeable;
import java.io.IOException;
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
import org.stellaops.backup.mongo.internal.capture.DatabaseCapture;
import org.stellaops.backup.mongo.internal.driver.Access;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.mongo.internal.driver.ServerFacts;
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
 * collections do not, except {@code system.js}.
 *
 * <p>Collections are read one after the other ({@code consistency=NONE}). If counts, sizes or
 * definitions change meanwhile, the capture has a finding {@link
 * MongoFailure#CHANGED_DURING_CAPTURE}.
 *
 * <p>Needs the role {@code read} on the database, and {@code find} on {@code system.buckets.*}
 * where there are time series (the role {@code backup} has it). An immutable value; any thread.
 */
public final class MongoSource implements BackupSource {
  private static final String CONNECTIVITY = "check.mongo.connectivity";
  private static final String PRIVILEGES = "check.mongo.privileges";
  private static final String DATABASE = "check.mongo.database";
  private static final String EXPECTED = "check.mongo.expected";

  private final Access access;
  private final String database;
  private final List<String> expected;

  private MongoSource(Access access, String database, List<String> expected) {
    this.access = access;
    this.database = Namespace.requireDatabase(database);
    this.expected = List.copyOf(expected);
  }

  /**
   * A database of a server that the application is connected to. The client stays the caller's and
   * has to be open whenever the source is used.
   *
   * @throws IllegalArgumentException if no database can have this name
   */
  public static MongoSource database(MongoClient client, String db) {
    return new MongoSource(Access.lent(Objects.requireNonNull(client)), db, List.of());
  }

  /**
   * A database that is connected to for each capture and each check. What the supplier gives is
   * closed as soon as it is read, so it has to give a new one each time.
   *
   * @param connectionString {@code mongodb://…} or {@code mongodb+srv://…} with credentials
   * @throws IllegalArgumentException if no database can have this name
   */
  public static MongoSource database(Supplier<Secret> connectionString, String db) {
    return new MongoSource(
        Access.connecting(Objects.requireNonNull(connectionString)), db, List.of());
  }

  /**
   * The same, with collections or views that have to be there. One that is not makes the capture
   * degraded, and the check warn.
   */
  public MongoSource expect(String... collections) {
    List<String> all = new ArrayList<>(expected);
    all.addAll(List.of(collections));
    return new MongoSource(access, database, all);
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of(Layout.KIND, Component.DATABASE, Stage.DOCUMENTS);
  }

  @Override
  public void check(Checks checks) throws IOException {
    try (Access.Lease lease = access.lease()) {
      check(new RawDatabase(lease.client(), database), checks);
    } catch (BackupException.Source e) {
      checks.add(CheckResult.fail(CONNECTIVITY, String.valueOf(e.getMessage()), e.code().remedy()));
    }
  }

  /** Each needs the one before it. */
  private void check(RawDatabase raw, Checks checks) {
    String trying = CONNECTIVITY;
    try {
      ServerFacts server = raw.server();
      checks.add(
          CheckResult.pass(
              CONNECTIVITY, "server %s, %s".formatted(server.version(), server.topology())));
      trying = PRIVILEGES;
      List<String> names = raw.names();
      checks.add(
          CheckResult.pass(PRIVILEGES, "collections of %s can be listed".formatted(database)));
      checkDatabase(names, checks);
      checkExpected(names, checks);
    } catch (MongoException e) {
      checks.add(failed(trying, e));
    }
  }

  private CheckResult failed(String check, MongoException e) {
    boolean isDenied = DriverErrors.isDenied(e);
    MongoFailure failure =
        isDenied
            ? MongoFailure.NOT_PERMITTED
            : DriverErrors.isUnreachable(e) ? MongoFailure.UNREACHABLE : MongoFailure.SERVER_FAILED;
    String needed = isDenied ? ". needed is the role read on " + database : "";
    return CheckResult.fail(check, DriverErrors.describe(e) + needed, failure.remedy());
  }

  private void checkDatabase(List<String> names, Checks checks) {
    if (names.isEmpty()) {
      checks.add(
          CheckResult.fail(
              DATABASE,
              "database %s has no collections, so it does not exist".formatted(database),
              MongoFailure.UNKNOWN_DATABASE.remedy()));
    } else if (names.contains(RestoreMarker.COLLECTION)) {
      checks.add(
          CheckResult.fail(
              DATABASE,
              "database %s is what a restore left that did not end".formatted(database),
              MongoFailure.UNFINISHED_RESTORE.remedy()));
    } else {
      checks.add(
          CheckResult.pass(
              DATABASE, "database %s has %d collections".formatted(database, names.size())));
    }
  }

  private void checkExpected(List<String> names, Checks checks) {
    List<String> missing = expected.stream().filter(e -> !names.contains(e)).toList();
    if (!missing.isEmpty()) {
      checks.add(
          CheckResult.warn(
              EXPECTED,
              "not in database %s: %s".formatted(database, String.join(", ", missing)),
              "create them, or take them out of the plan"));
    } else if (!expected.isEmpty()) {
      checks.add(CheckResult.pass(EXPECTED, "all %d are there".formatted(expected.size())));
    }
  }

  @Override
  @SuppressWarnings("try") // the registration is only there to be closed
  public void capture(CaptureSession session) throws IOException {
    try (Access.Lease lease = access.lease();
        Closeable stop = session.stopping().onStop(lease::close)) {
      new DatabaseCapture(new RawDatabase(lease.client(), database), session).run(expected);
    } catch (IllegalStateException e) { // so a client answers that was closed by the stop
      session.stopping().check();
      throw e;
    }
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
