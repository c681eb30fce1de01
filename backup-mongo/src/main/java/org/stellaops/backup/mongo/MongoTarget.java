package org.stellaops.backup.mongo;

import com.mongodb.MongoException;
import com.mongodb.client.MongoClient;
import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Endpoint;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.UnreachablePointException;
import org.stellaops.backup.mongo.internal.archive.Layout;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.driver.Access;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.mongo.internal.driver.UserPassages;
import org.stellaops.backup.mongo.internal.restore.AddedUsers;
import org.stellaops.backup.mongo.internal.restore.ArchivePart;
import org.stellaops.backup.mongo.internal.restore.DatabasePlan;
import org.stellaops.backup.mongo.internal.restore.DatabaseRestore;
import org.stellaops.backup.mongo.internal.restore.JoinedPlanning;
import org.stellaops.backup.mongo.internal.restore.JoinedSession;
import org.stellaops.backup.mongo.internal.restore.NamePattern;
import org.stellaops.backup.mongo.internal.restore.Renaming;
import org.stellaops.backup.mongo.internal.restore.Replay;
import org.stellaops.backup.mongo.internal.restore.RestoreSettings;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;

/**
 * Restores a captured database into one of the same or another name.
 *
 * <p>The whole archive is verified before the server is touched: structure, checksums, counts and
 * digests. Then collections are created with their options, documents inserted as bytes, read back
 * and compared, and indexes and views created as they were. Where the capture was read while it
 * changed, or a point in time is asked for, the oplog is replayed in between, by ordinary writes,
 * and indexes and views are created as they are then. A document that is refused, a collection that
 * reads back otherwise, an index that is missing: each ends the restore with an exception. There is
 * no partial success.
 *
 * <p>Until all that is done a collection {@code stella.backup.unfinished} stands in the database.
 * Needs the role {@code readWrite} on it, and {@code dbAdmin} where collections have validators or
 * views. Any thread; one restore at a time.
 */
public final class MongoTarget implements RestoreTarget {
  private static final int MAX_FINDINGS_IN_A_MESSAGE = 20;

  /** In place of a database's name. */
  private static final String ALL = "";

  private final Access access;
  private final String database;
  private final RestoreSettings settings;
  private final @Nullable MongoIntegrity integrity;

  /** What this process did last, by database, so that it can be taken back when another fails. */
  private final Map<String, RestoreMarker> published = new ConcurrentHashMap<>();

  private final Map<String, AddedUsers> added = new ConcurrentHashMap<>();

  MongoTarget(Access access, String database, Existing existing) {
    this(access, database, RestoreSettings.of(existing), null);
  }

  private MongoTarget(
      Access access,
      String database,
      RestoreSettings settings,
      @Nullable MongoIntegrity integrity) {
    this.integrity = integrity;
    this.access = access;
    this.database = database;
    this.settings = settings;
  }

  /**
   * A database of a server that the application is connected to. The client stays the caller's.
   *
   * @param db its name; need not be the name that was captured
   * @throws IllegalArgumentException if no database can have this name
   */
  public static MongoTarget into(MongoClient client, String db) {
    return new MongoTarget(
        Access.lent(Objects.requireNonNull(client)),
        Namespace.requireDatabase(db),
        Existing.REFUSE);
  }

  /**
   * A database that is connected to for each step. What the supplier gives is closed as soon as it
   * is read, so it has to give a new one each time.
   *
   * @param connectionString {@code mongodb://…} or {@code mongodb+srv://…} with credentials
   * @param db its name; need not be the name that was captured
   * @throws IllegalArgumentException if no database can have this name
   */
  public static MongoTarget into(Supplier<Secret> connectionString, String db) {
    return new MongoTarget(
        Access.connecting(Objects.requireNonNull(connectionString)),
        Namespace.requireDatabase(db),
        Existing.REFUSE);
  }

  /**
   * A server that all databases of an archive are restored to, one after the other: each into that
   * of its name, or where {@link #rename} leads. The archive is read once more for each. What a
   * server keeps for itself, {@code config}, {@code local} and {@code system.*}, is left out and
   * told. The client stays the caller's.
   */
  public static MongoTarget instance(MongoClient client) {
    return new MongoTarget(Access.lent(Objects.requireNonNull(client)), ALL, Existing.REFUSE);
  }

  /** As {@link #instance(MongoClient)}, connected to as {@link #into(Supplier, String)}. */
  public static MongoTarget instance(Supplier<Secret> connectionString) {
    return new MongoTarget(
        Access.connecting(Objects.requireNonNull(connectionString)), ALL, Existing.REFUSE);
  }

  /**
   * Only these databases of an archive of several. A target that is one database takes one of them,
   * of whatever name.
   *
   * @throws IllegalArgumentException if no database can have such a name
   */
  public MongoTarget only(String... databases) {
    return with(settings.only(databases));
  }

  /**
   * Users and roles as well, with the passwords that they had: the archive has to have them, see
   * {@link MongoSource#usersAndRoles}. In a database of another name they become users of that.
   * They are restored last, and the archive is read once more for them. Needs the role {@code
   * restore} on {@code admin}.
   */
  public MongoTarget usersAndRoles(UsersAndRoles how) {
    return with(settings.users(Objects.requireNonNull(how)));
  }

  /** The same, with another answer to a database that is not empty. */
  public MongoTarget existing(Existing policy) {
    return with(settings.existing(policy));
  }

  /** Which collections make room for what is restored; {@link DropPolicy#LISTED} unless said. */
  public MongoTarget dropping(DropPolicy policy) {
    return with(settings.drop(policy));
  }

  /**
   * Restores under other names: {@code rename("issuer-directory.*", "drill.*")}. Each {@code *}
   * stands for any number of characters, and what it stood for goes where the other's is; the first
   * rule that fits counts. Without a rule a collection keeps its name. What views are made of is
   * renamed with it.
   *
   * @param from a pattern of {@code database.collection} as captured
   * @param to a pattern with as many stars; its database has to be this target's
   * @throws IllegalArgumentException if the stars are not as many
   */
  public MongoTarget rename(String from, String to) {
    return with(settings.renaming(new Renaming(new NamePattern(from), new NamePattern(to))));
  }

  /** Only collections and views whose name, without the database, fits one of these patterns. */
  public MongoTarget include(String... patterns) {
    return with(settings.including(patterns));
  }

  /** Without collections and views whose name, without the database, fits one of these. */
  public MongoTarget exclude(String... patterns) {
    return with(settings.excluding(patterns));
  }

  /** Batches that are on their way at a time, from 1 to 64; 4 unless said. */
  public MongoTarget parallelism(int batches) {
    return with(settings.parallelism(batches));
  }

  /**
   * With {@link Existing#SHADOW}: what was replaced stays, under names that begin with {@code
   * stella.before.} and the run.
   */
  public MongoTarget keepReplaced() {
    return with(settings.keepingReplaced());
  }

  /**
   * What was restored is asked whether it is sound, with {@link Existing#SHADOW} before it is
   * renamed into place; if not, the restore fails.
   */
  public MongoTarget provenBy(MongoIntegrity asked) {
    return new MongoTarget(access, database, settings, asked);
  }

  /** With smaller batches, so that few documents are many of them. */
  MongoTarget pace(RestoreSettings.Pace pace) {
    return with(settings.pace(pace));
  }

  private MongoTarget with(RestoreSettings other) {
    return new MongoTarget(access, database, other, integrity);
  }

  @Override
  public TargetDescription describe() {
    Map<String, String> described = new TreeMap<>(settings.describe());
    described.put("database", database.isEmpty() ? "all" : database);
    return new TargetDescription(access.describe() + database, described);
  }

  @Override
  public boolean accepts(SourceKind kind) {
    return kind.equals(SourceKind.of(Layout.KIND));
  }

  private List<ArchivePart> parts(CapturedSource captured) throws BackupException.Target {
    return database.isEmpty()
        ? ArchivePart.all(captured, settings)
        : ArchivePart.into(database, settings);
  }

  @Override
  public void plan(RestorePlanning planning) throws IOException {
    List<ArchivePart> parts = parts(planning.requested());
    try (Access.Lease lease = access.lease()) {
      JoinedPlanning joined = new JoinedPlanning(planning);
      for (ArchivePart part : parts) {
        RawDatabase raw = new RawDatabase(lease.client(), part.database());
        URI location = Access.location(lease.client(), part.database());
        new DatabasePlan(raw, location, part.settings(), joined, replay(planning)).run();
      }
      joined.end();
    } catch (MongoException e) {
      throw DriverErrors.target(CoreFailure.TARGET_FAILED, "looking at " + this, e);
    }
  }

  /** Why a point cannot be reached is a blocker. */
  private static Optional<Replay> replay(RestorePlanning planning) throws IOException {
    CapturedSource requested = planning.requested();
    try {
      return Replay.of(requested, planning.point(), planning.recorded());
    } catch (UnreachablePointException e) {
      planning.blocker(new Finding(e.code(), requested.header().source().value(), e.found()));
      return Optional.empty();
    }
  }

  /** Reads the whole archive, and what will be replayed; the server is not touched. */
  @Override
  public void stage(RestoreSession session) throws IOException {
    CapturedSource captured = session.chain().get(0);
    for (ArchivePart part : parts(captured)) {
      DatabaseRestore.verify(session, part.settings(), Replay.of(session), part.database());
    }
    List<String> leftOut = ArchivePart.leftOut(captured);
    if (database.isEmpty() && !leftOut.isEmpty()) {
      session.finding(
          new Finding(
              MongoFailure.NOT_SELECTED,
              captured.header().source().value(),
              String.join(", ", leftOut)));
    }
  }

  @Override
  @SuppressWarnings("try") // the registration is only there to be closed
  public void publish(RestoreSession session) throws IOException {
    try (Access.Lease lease = access.lease();
        Closeable stop = session.stopping().onStop(lease::close)) {
      JoinedSession joined = new JoinedSession(session);
      List<ArchivePart> parts = parts(session.chain().get(0));
      tellLeftUsers(lease, session, parts);
      for (ArchivePart part : parts) {
        RestoreMarker before = published.get(part.database());
        if (before == null || !before.run().equals(session.run())) {
          RestoreMarker last = restore(lease, joined.next(), part, Replay.of(session)).publish();
          published.put(part.database(), last);
        }
      }
      session.endpoint(new Endpoint(Access.location(lease.client(), database), Map.of()));
    } catch (IllegalStateException e) { // so a client answers that was closed by the stop
      session.stopping().check();
      throw e;
    }
  }

  /**
   * Drops what {@link #publish} made, and moves back what it moved out of the way. Where
   * collections were dropped or merged into, or users replaced, nothing can be done, and a finding
   * says so.
   */
  @Override
  public void rollBack(RestoreSession session) throws IOException {
    try (Access.Lease lease = access.lease()) {
      for (ArchivePart part : parts(session.chain().get(0))) {
        restore(lease, session, part, Optional.empty())
            .rollBack(Optional.ofNullable(published.remove(part.database())));
      }
    }
  }

  /** Drops what was moved out of the way, unless it is to be kept. */
  @Override
  public void settle(RestoreSession session) throws IOException {
    try (Access.Lease lease = access.lease()) {
      for (ArchivePart part : parts(session.chain().get(0))) {
        RestoreMarker last = published.get(part.database());
        if (last != null) {
          restore(lease, session, part, Optional.empty()).settle(last);
        }
      }
    }
  }

  /** Those that an earlier attempt at the same left are dropped by this one. */
  private void tellLeftUsers(Access.Lease lease, RestoreSession session, List<ArchivePart> parts) {
    List<String> own =
        settings.scope().users() == null
            ? List.of()
            : parts.stream().map(ArchivePart::database).toList();
    UserPassages.left(new RawDatabase(lease.client(), "admin"), own).ifPresent(session::finding);
  }

  private DatabaseRestore restore(
      Access.Lease lease, RestoreSession session, ArchivePart part, Optional<Replay> replay) {
    RawDatabase raw = new RawDatabase(lease.client(), part.database());
    AddedUsers users = added.computeIfAbsent(part.database(), d -> new AddedUsers());
    return new DatabaseRestore(raw, session, part.settings(), replay, proof(session), users);
  }

  private DatabaseRestore.Proof proof(RestoreSession session) {
    return integrity == null
        ? (raw, prefix) -> {}
        : (raw, prefix) ->
            prove(raw.name(), integrity.check(raw, prefix, session.stopping()), session);
  }

  private static void prove(String what, MongoIntegrityReport report, RestoreSession session)
      throws BackupException.Target {
    report.findings().forEach(session::finding);
    if (!report.isSound()) {
      throw new BackupException.Target(
          MongoFailure.INTEGRITY_BROKEN,
          "check database %s: expected it to be sound, found: %s"
              .formatted(
                  what,
                  report.findings().stream()
                      .filter(f -> f.code() == MongoFailure.INTEGRITY_BROKEN)
                      .limit(MAX_FINDINGS_IN_A_MESSAGE)
                      .map(Finding::toString)
                      .collect(Collectors.joining("; "))));
    }
    session.finding(new Finding(MongoFailure.PROVEN, what, report.summary()));
  }

  @Override
  public String toString() {
    return "MongoTarget[" + describe().location() + ", " + settings.existing() + "]";
  }

  /** What becomes of users and roles of the database that stand in the target. */
  public enum UsersAndRoles {
    /** They stay as they are; those of the archive that are not there are added. */
    ADD,
    /** They become those of the archive: changed where they differ, dropped where it has none. */
    REPLACE
  }

  /** What to do with a database that holds something already. */
  public enum Existing {
    /** Nothing: the restore is refused. */
    REFUSE,
    /**
     * Collections are dropped as {@link DropPolicy} says, after the archive was verified and before
     * anything is created. Cannot be taken back.
     */
    REPLACE,
    /**
     * Documents are inserted into the collections that are there. One that is there with the same
     * bytes is left alone and counted; one that is there with other bytes, or a collection with
     * other options or indexes, ends the restore before anything is written. Cannot be taken back.
     */
    MERGE,
    /**
     * Everything is restored and compared under other names in the same database, and then renamed
     * into place, one collection after the other. What was replaced is kept until all sources of
     * the restore are published, so this can be taken back. Not for sharded servers, and not for
     * time series, which no server renames.
     */
    SHADOW
  }

  /** Which collections make room, with {@link Existing#REPLACE} and {@link Existing#SHADOW}. */
  public enum DropPolicy {
    /** None: a collection that is there under a name that is restored is a blocker. */
    NONE,
    /** Those whose names are restored; others are left as they are and told. */
    LISTED,
    /** All: also those that were created after the backup. */
    DATABASE
  }
}
