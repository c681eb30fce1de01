package org.stellaops.backup.mongo;

import com.mongodb.MongoException;
import com.mongodb.client.MongoClient;
import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Endpoint;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.mongo.internal.archive.Layout;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.driver.Access;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.mongo.internal.restore.DatabaseRestore;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;

/**
 * Restores a captured database into one of the same or another name.
 *
 * <p>The whole archive is verified before the server is touched: structure, checksums, counts and
 * digests. Then collections are created with their options, documents inserted as bytes, read back
 * and compared, and indexes and views created as they were. A document that is refused, a
 * collection that reads back otherwise, an index that is missing: each ends the restore with an
 * exception. There is no partial success.
 *
 * <p>Until all that is done a collection {@code stella.backup.unfinished} stands in the database.
 * Needs the role {@code readWrite} on it, and {@code dbAdmin} where collections have validators or
 * views. Any thread; one restore at a time.
 */
public final class MongoTarget implements RestoreTarget {
  private final Access access;
  private final String database;
  private final Existing existing;

  /** What this process restored last, so that it can be taken back when another source fails. */
  private final AtomicReference<@Nullable RestoreMarker> published = new AtomicReference<>();

  MongoTarget(Access access, String database, Existing existing) {
    this.access = access;
    this.database = Namespace.requireDatabase(database);
    this.existing = existing;
  }

  /**
   * A database of a server that the application is connected to. The client stays the caller's.
   *
   * @param db its name; need not be the name that was captured
   * @throws IllegalArgumentException if no database can have this name
   */
  public static MongoTarget into(MongoClient client, String db) {
    return new MongoTarget(Access.lent(Objects.requireNonNull(client)), db, Existing.REFUSE);
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
        Access.connecting(Objects.requireNonNull(connectionString)), db, Existing.REFUSE);
  }

  /** The same, with another answer to a database that is not empty. */
  public MongoTarget existing(Existing policy) {
    return new MongoTarget(access, database, Objects.requireNonNull(policy));
  }

  @Override
  public TargetDescription describe() {
    return new TargetDescription(
        access.describe() + database, Map.of("existing", existing.name(), "database", database));
  }

  @Override
  public boolean accepts(SourceKind kind) {
    return kind.equals(SourceKind.of(Layout.KIND));
  }

  @Override
  public void plan(RestorePlanning planning) throws IOException {
    try (Access.Lease lease = access.lease()) {
      RawDatabase raw = new RawDatabase(lease.client(), database);
      URI location = Access.location(lease.client(), database);
      plan(planning, raw.names(), RestoreMarker.find(raw), location);
    } catch (MongoException e) {
      throw DriverErrors.target(
          CoreFailure.TARGET_FAILED, "looking at database %s".formatted(database), e);
    }
  }

  private void plan(
      RestorePlanning planning, List<String> there, Optional<RestoreMarker> marker, URI location) {
    planning.state(state(there, marker, location));
    planning.undo(there.isEmpty() ? RestorePlanning.Undo.REMOVE : RestorePlanning.Undo.IMPOSSIBLE);
    if (!there.isEmpty() && existing == Existing.REFUSE) {
      planning.blocker(
          new Finding(CoreFailure.TARGET_NOT_EMPTY, location.toString(), occupants(there, marker)));
    }
    CapturedSource captured = planning.requested();
    Set<String> coming = collectionsOf(captured);
    if (existing == Existing.REPLACE) {
      there.stream()
          .filter(name -> coming.isEmpty() || coming.contains(name))
          .forEach(name -> planning.overwrites(database + "." + name));
    }
    long bytes = captured.artifacts().stream().mapToLong(a -> a.plainBytes()).sum();
    planning.step("verify the archive", bytes);
    planning.step("create, fill and read back collections of " + location, bytes);
    planning.step("create indexes and views", 0);
  }

  private TargetState state(List<String> there, Optional<RestoreMarker> marker, URI location) {
    TargetState.Occupancy occupancy =
        marker.isPresent()
            ? TargetState.Occupancy.UNFINISHED_RESTORE
            : there.isEmpty() ? TargetState.Occupancy.EMPTY : TargetState.Occupancy.OCCUPIED;
    String identity = location + "\n" + String.join("\n", there);
    return new TargetState(
        occupancy,
        Digest.ofContent(identity.getBytes(StandardCharsets.UTF_8)),
        "%s: %s".formatted(location, occupants(there, marker)));
  }

  private static String occupants(List<String> there, Optional<RestoreMarker> marker) {
    String unfinished =
        marker.map(m -> "unfinished restore of run " + m.run() + " among ").orElse("");
    return there.isEmpty()
        ? "empty"
        : "%s%d collections: %s".formatted(unfinished, there.size(), String.join(", ", there));
  }

  /** Names in the inventory; none where an archive of mongodump's was taken over. */
  private static Set<String> collectionsOf(CapturedSource captured) {
    String prefix = captured.properties().getOrDefault(Layout.DATABASE_PROPERTY, "") + ".";
    return captured.inventory().stream()
        .map(InventoryItem::name)
        .filter(name -> name.startsWith(prefix))
        .map(name -> name.substring(prefix.length()))
        .collect(Collectors.toSet());
  }

  /** Reads the whole archive; the server is not touched. */
  @Override
  public void stage(RestoreSession session) throws IOException {
    DatabaseRestore.verify(session);
  }

  @Override
  @SuppressWarnings("try") // the registration is only there to be closed
  public void publish(RestoreSession session) throws IOException {
    try (Access.Lease lease = access.lease();
        Closeable stop = session.stopping().onStop(lease::close)) {
      RestoreMarker before = published.get();
      if (before == null || !before.run().equals(session.run())) {
        published.set(restore(lease, session).publish());
      }
      session.endpoint(new Endpoint(Access.location(lease.client(), database), Map.of()));
    } catch (IllegalStateException e) { // so a client answers that was closed by the stop
      session.stopping().check();
      throw e;
    }
  }

  /**
   * Drops what {@link #publish} made if the database was empty before. Where collections were
   * replaced nothing can be done, and a finding says so.
   */
  @Override
  public void rollBack(RestoreSession session) throws IOException {
    try (Access.Lease lease = access.lease()) {
      restore(lease, session).rollBack(Optional.ofNullable(published.getAndSet(null)));
    }
  }

  private DatabaseRestore restore(Access.Lease lease, RestoreSession session) {
    return new DatabaseRestore(
        new RawDatabase(lease.client(), database), session, existing == Existing.REPLACE);
  }

  @Override
  public String toString() {
    return "MongoTarget[" + describe().location() + ", " + existing + "]";
  }

  /** What to do with a database that holds something already. */
  public enum Existing {
    /** Nothing: the restore is refused. */
    REFUSE,
    /**
     * Collections of the names that are restored are dropped, after the archive was verified and
     * before anything is created. Others are left as they are. Cannot be taken back.
     */
    REPLACE
  }
}
