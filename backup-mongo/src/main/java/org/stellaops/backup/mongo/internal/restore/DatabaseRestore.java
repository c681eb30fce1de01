package org.stellaops.backup.mongo.internal.restore;

import com.mongodb.MongoException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.bson.BsonDocument;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.ArchiveContents;
import org.stellaops.backup.mongo.internal.archive.ArchiveReader;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.mongo.internal.archive.RunningTally;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.spi.RestoreSession;

/**
 * Puts an archive into a database: marker, collections, documents, comparison, indexes, views,
 * comparison, and the marker goes. What is there at the end was read back and found equal, or this
 * throws.
 *
 * <p>Documents are compared before indexes are built: from the moment a TTL index stands, a server
 * may delete what it covers, and rightly.
 */
public final class DatabaseRestore {
  private final RawDatabase database;
  private final RestoreSession session;
  private final boolean mayReplace;

  /**
   * Into a database whose client outlives the restore.
   *
   * @param mayReplace whether collections of the same names are dropped
   */
  public DatabaseRestore(RawDatabase database, RestoreSession session, boolean mayReplace) {
    this.database = database;
    this.session = session;
    this.mayReplace = mayReplace;
  }

  /** Reads the whole archive and holds it to everything that is known of it. Touches no server. */
  public static void verify(RestoreSession session) throws IOException {
    CapturedArchive archive = CapturedArchive.of(session);
    ArchiveContents contents = archive.read(new Stoppable(session));
    RestoreCommands.viewsInOrder(archive.collections(contents.prelude()));
  }

  /**
   * Restores an archive that was verified before.
   *
   * @return what was restored, for {@link #rollBack}
   */
  public RestoreMarker publish() throws IOException {
    try {
      CapturedArchive archive = CapturedArchive.of(session);
      Load load = new Load(archive);
      ArchiveContents contents = archive.read(load);
      for (CollectionSpec spec : load.collections) {
        compareDocuments(spec, contents);
      }
      for (CollectionSpec spec : load.collections) {
        createIndexes(spec);
      }
      for (CollectionSpec view : RestoreCommands.viewsInOrder(load.collections)) {
        create(view);
      }
      compareDefinitions(load.collections);
      RestoreMarker.removeFrom(database);
      return load.marker();
    } catch (MongoException e) {
      session.stopping().check(); // a stop closes the connection, and is then the reason
      throw DriverErrors.target(
          CoreFailure.TARGET_FAILED, "restore into database " + database.name(), e);
    }
  }

  /**
   * Drops what {@link #publish} made, where nothing stood before; where something did, says that it
   * cannot.
   *
   * @param published what this run has restored to its end, if it came so far
   */
  public void rollBack(Optional<RestoreMarker> published) throws IOException {
    try {
      Optional<RestoreMarker> begun = RestoreMarker.find(database).or(() -> published);
      if (begun.isPresent() && begun.get().run().equals(session.run())) {
        rollBack(begun.get());
      }
    } catch (MongoException e) {
      throw DriverErrors.target(
          CoreFailure.TARGET_FAILED, "taking back the restore into database " + database.name(), e);
    }
  }

  private void rollBack(RestoreMarker begun) {
    if (begun.wasEmpty()) {
      begun.collections().forEach(database::drop);
      RestoreMarker.removeFrom(database);
    } else {
      session.finding(
          new Finding(
              MongoFailure.NOT_TAKEN_BACK,
              database.name(),
              "collections were replaced, what they held before is gone"));
    }
  }

  /**
   * Marks the database, and clears it of what will be restored if that is allowed. A marker of this
   * same run is an earlier attempt, whose remains are ours to drop.
   */
  private RestoreMarker begin(List<CollectionSpec> collections) throws BackupException.Target {
    List<String> names = collections.stream().map(CollectionSpec::name).toList();
    Optional<RestoreMarker> earlier = RestoreMarker.find(database);
    if (earlier.isPresent() && earlier.get().run().equals(session.run())) {
      dropThose(names);
      return earlier.get();
    }
    if (!mayReplace) {
      requireEmpty(List.of());
    }
    boolean isEmpty = database.names().isEmpty();
    RestoreMarker marker = new RestoreMarker(session.run(), isEmpty, names);
    marker.putInto(database);
    if (mayReplace) {
      dropThose(names);
    } else {
      requireStillEmpty();
    }
    return marker;
  }

  /** Somebody may have created a collection between our look and our marker. */
  private void requireStillEmpty() throws BackupException.Target {
    try {
      requireEmpty(List.of(RestoreMarker.COLLECTION));
    } catch (BackupException.Target e) {
      RestoreMarker.removeFrom(database);
      throw e;
    }
  }

  private void requireEmpty(List<String> except) throws BackupException.Target {
    List<String> there = new ArrayList<>(database.names());
    there.removeAll(except);
    if (!there.isEmpty()) {
      throw new BackupException.Target(
          CoreFailure.TARGET_NOT_EMPTY,
          "database %s holds %d collections: %s"
              .formatted(database.name(), there.size(), String.join(", ", there)));
    }
  }

  private void dropThose(List<String> names) {
    TreeSet<String> there = new TreeSet<>(database.names());
    there.retainAll(names);
    there.forEach(database::drop);
  }

  private void create(CollectionSpec spec) throws IOException {
    run(spec, "create", RestoreCommands.create(spec));
  }

  private void createIndexes(CollectionSpec spec) throws IOException {
    Optional<BsonDocument> command = RestoreCommands.createIndexes(spec);
    if (command.isPresent()) {
      run(spec, "createIndexes", command.get());
    }
  }

  private void run(CollectionSpec spec, String what, BsonDocument command) throws IOException {
    session.stopping().check();
    try {
      database.run(command);
    } catch (MongoException e) {
      session.stopping().check(); // a stop closes the connection, and is then the reason
      throw DriverErrors.target(
          MongoFailure.CREATE_FAILED, "%s of %s".formatted(what, name(spec)), e);
    }
  }

  private void compareDocuments(CollectionSpec spec, ArchiveContents contents) throws IOException {
    if (spec.isView()) {
      return;
    }
    Tally expected = expected(spec, contents);
    Tally found = readBack(spec);
    if (!found.isSameContent(expected)) {
      throw new BackupException.Target(
          CoreFailure.CONTENT_DIFFERS,
          "collection %s: expected %s; found %s"
              .formatted(name(spec), expected.describe(), found.describe()));
    }
  }

  private static Tally expected(CollectionSpec spec, ArchiveContents contents) {
    String captured = contents.prelude().entries().get(0).namespace().database();
    return contents.tallies().getOrDefault(new Namespace(captured, spec.name()), Tally.NOTHING);
  }

  private Tally readBack(CollectionSpec spec) throws IOException {
    RunningTally tally = new RunningTally();
    database.read(
        spec.dataName(),
        (buffer, offset, length) -> {
          session.stopping().check();
          tally.add(buffer, offset, length);
        });
    return tally.value();
  }

  private void compareDefinitions(List<CollectionSpec> expected) throws BackupException.Target {
    Map<String, CollectionSpec> found =
        database.collections().stream()
            .collect(Collectors.toMap(CollectionSpec::name, Function.identity()));
    for (CollectionSpec spec : expected) {
      CollectionSpec restored = found.remove(spec.name());
      if (restored == null) {
        throw new BackupException.Target(
            CoreFailure.CONTENT_DIFFERS, "%s is missing".formatted(name(spec)));
      }
      compareDefinition(spec, restored);
    }
    found.remove(RestoreMarker.COLLECTION);
    if (!found.isEmpty()) {
      session.finding(
          new Finding(
              MongoFailure.LEFT_AS_IT_IS,
              database.name(),
              "not in the snapshot and not touched: " + String.join(", ", found.keySet())));
    }
  }

  private void compareDefinition(CollectionSpec expected, CollectionSpec restored)
      throws BackupException.Target {
    DefinitionComparison comparison = DefinitionComparison.of(expected, restored);
    if (!comparison.missing().isEmpty()) {
      throw new BackupException.Target(
          CoreFailure.CONTENT_DIFFERS,
          name(expected) + ": " + String.join("; ", comparison.missing()));
    }
    for (String difference : comparison.different()) {
      session.finding(new Finding(MongoFailure.DEFINITION_DIFFERS, name(expected), difference));
    }
  }

  private String name(CollectionSpec spec) {
    return database.name() + "." + spec.name();
  }

  /** Writes nothing before the prelude is known, and everything while the archive passes. */
  private final class Load implements ArchiveReader.Visitor {
    private final CapturedArchive archive;
    private List<CollectionSpec> collections = List.of();
    private Optional<RestoreMarker> marker = Optional.empty();
    private Optional<CollectionLoader> loader = Optional.empty();

    Load(CapturedArchive archive) {
      this.archive = archive;
    }

    RestoreMarker marker() {
      return marker.orElseThrow();
    }

    @Override
    public void prelude(Prelude prelude) throws IOException {
      collections = archive.collections(prelude);
      marker = Optional.of(begin(collections));
      for (CollectionSpec spec : collections) {
        if (!spec.isView()) {
          create(spec);
        }
      }
      loader =
          Optional.of(new CollectionLoader(database, collections, session, archive.storedBytes()));
    }

    @Override
    public void document(Prelude.Entry of, byte[] buffer, int offset, int length)
        throws IOException {
      loader.orElseThrow().document(of, buffer, offset, length);
    }

    @Override
    public void end(Prelude.Entry of, Tally tally) throws IOException {
      loader.orElseThrow().end(of, tally);
    }
  }

  /** Only looks, and stops when asked to. */
  private record Stoppable(RestoreSession session) implements ArchiveReader.Visitor {
    @Override
    public void document(Prelude.Entry of, byte[] buffer, int offset, int length)
        throws IOException {
      session.stopping().check();
    }
  }
}
