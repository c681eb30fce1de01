package org.stellaops.backup.mongo.internal.restore;

import com.mongodb.MongoException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.internal.archive.ArchiveContents;
import org.stellaops.backup.mongo.internal.archive.ArchiveReader;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker.Phase;
import org.stellaops.backup.mongo.internal.restore.RestoreCommands.IndexKind;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.Stopping;

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
  private final RestoreSettings settings;
  private final Proof proof;
  private final Optional<Replay> replay;
  private final AddedUsers added;

  /**
   * Into a database whose client outlives the restore.
   *
   * @param replay what is replayed on top of the documents
   * @param added where users and roles are noted that were not there
   */
  public DatabaseRestore(
      RawDatabase database,
      RestoreSession session,
      RestoreSettings settings,
      Optional<Replay> replay,
      Proof proof,
      AddedUsers added) {
    this.added = added;
    this.replay = replay;
    this.proof = proof;
    this.database = database;
    this.session = session;
    this.settings = settings;
  }

  /** What shows that a restored database is sound. */
  @FunctionalInterface
  public interface Proof {
    /**
     * Looks at it.
     *
     * @param prefix of the names of the collections to look at
     */
    void run(RawDatabase database, String prefix) throws IOException;
  }

  /**
   * Reads the whole archive and holds it to everything that is known of it, and tries the replay:
   * slices that cannot be read, and entries that cannot be replayed, are found. Touches no server.
   *
   * @param into name of the database that it will go to
   */
  public static void verify(
      RestoreSession session, RestoreSettings settings, Optional<Replay> replay, String into)
      throws IOException {
    CapturedArchive archive = CapturedArchive.of(session, settings.scope().from());
    archive.requireReplayed(replay);
    if (replay.isPresent()) {
      String beside = beside(settings, identity(archive, settings, replay, into));
      Replaying.Trial trial =
          new Replaying(replay.get(), archive, session, settings, into, beside).new Trial();
      ArchiveContents contents = tried(archive, trial, session);
      place(archive, contents.prelude(), settings, into, beside);
      RestoreCommands.viewsInOrder(trial.end().targets());
    } else {
      ArchiveContents contents = archive.read(new Stoppable(session));
      Placements placements = place(archive, contents.prelude(), settings, into, "");
      RestoreCommands.viewsInOrder(placements.targets());
    }
  }

  /** An entry that is damaged is not to be called one that cannot be replayed. */
  private static ArchiveContents tried(
      CapturedArchive archive, Replaying.Trial trial, RestoreSession session) throws IOException {
    try {
      return archive.read(trial);
    } catch (BackupException.Target e) {
      try {
        archive.read(new Stoppable(session));
      } catch (BackupException.Corrupt damage) {
        damage.addSuppressed(e);
        throw damage;
      }
      throw e;
    }
  }

  private static String identity(
      CapturedArchive archive, RestoreSettings settings, Optional<Replay> replay, String database) {
    String point = replay.map(Replay::point).orElse("");
    return settings.identity(archive.captured(), database, point);
  }

  private String identity(CapturedArchive archive) {
    return identity(archive, settings, replay, database.name());
  }

  /** Prefix under which collections are filled. */
  private static String beside(RestoreSettings settings, String identity) {
    return settings.existing() == Existing.SHADOW ? ShadowSwap.beside(identity) : "";
  }

  /**
   * Restores an archive that was verified before.
   *
   * @return what was restored, for {@link #rollBack}
   */
  public RestoreMarker publish() throws IOException {
    CapturedArchive archive = CapturedArchive.of(session, settings.scope().from());
    archive.requireReplayed(replay);
    try {
      Optional<RestoreMarker> earlier = earlier(archive);
      RestoreMarker marker = earlier.isPresent() ? goOn(archive, earlier.get()) : restore(archive);
      if (settings.scope().users() != null) {
        new RestoredUsers(database, session, settings.scope().users(), added).restore(archive);
      }
      return retrying(
          () -> {
            RestoreMarker.removeFrom(database);
            return marker;
          });
    } catch (MongoException e) {
      session.stopping().check(); // a stop closes the connection, and is then the reason
      throw DriverErrors.target(
          CoreFailure.TARGET_FAILED, "restore into database " + database.name(), e);
    }
  }

  /** The marker of another attempt at the same restore. */
  private Optional<RestoreMarker> earlier(CapturedArchive archive) throws IOException {
    String identity = identity(archive);
    return retrying(() -> RestoreMarker.find(database)).filter(m -> m.of().equals(identity));
  }

  /** What is done here bears being done twice. */
  private interface Step<T> {
    T run() throws IOException;
  }

  private <T> T retrying(Step<T> step) throws IOException {
    return new Retrying(session.stopping()).call(number -> step.run());
  }

  private void put(RestoreMarker marker) throws IOException {
    retrying(
        () -> {
          marker.putInto(database);
          return marker;
        });
  }

  private RestoreMarker restore(CapturedArchive archive) throws IOException {
    if (settings.existing() == Existing.MERGE) {
      requireMergeable(archive);
    }
    try (Load load = new Load(archive)) {
      ArchiveContents contents = archive.read(load);
      load.finish();
      compareDocuments(archive, load.placements(), contents, load.marker());
      return replay.isPresent()
          ? replay(archive, load.marker().in(Phase.REPLAYING))
          : finish(load.placements(), load.marker());
    }
  }

  /** Goes on with what another attempt left where it was cut off. */
  private RestoreMarker goOn(CapturedArchive archive, RestoreMarker earlier) throws IOException {
    return switch (earlier.phase()) {
      case CLEARING, LOADING -> restore(archive);
      case REPLAYING -> {
        tellResumed(earlier, "while its oplog was replayed");
        yield replay(archive, earlier.by(session.run()));
      }
      case INDEXING -> {
        RestoreMarker marker = earlier.by(session.run());
        put(marker);
        tellResumed(earlier, "while indexes were made");
        yield finish(replayed(archive), marker);
      }
      case SWAPPING -> swapAgain(archive, earlier);
    };
  }

  private RestoreMarker replay(CapturedArchive archive, RestoreMarker marker) throws IOException {
    put(marker);
    Replaying.Replayed replayed = replaying(archive).into(database, marker);
    return finish(replayed.placements(), replayed.marker());
  }

  private Replaying replaying(CapturedArchive archive) {
    String beside = beside(settings, identity(archive));
    return new Replaying(replay.orElseThrow(), archive, session, settings, database.name(), beside);
  }

  /** What an earlier attempt has replayed; more may have been recorded since. */
  private Placements replayed(CapturedArchive archive) throws IOException {
    RestoreMarker.Replayed earlier = retrying(() -> RestoreMarker.replayed(database));
    return replaying(archive).after(earlier.written());
  }

  private RestoreMarker finish(Placements placements, RestoreMarker marker) throws IOException {
    RestoredDefinitions definitions = definitions();
    definitions.createIndexes(placements.loads(), IndexKind.PLAIN);
    definitions.createIndexes(placements.loads(), IndexKind.UNIQUE);
    definitions.createIndexes(placements.loads(), IndexKind.EXPIRING);
    RestoreMarker last = marker;
    if (settings.existing() == Existing.SHADOW) {
      definitions.compare(placements.loads());
      proof.run(database, ShadowSwap.beside(marker.of()));
      last = swap(placements, marker);
    }
    definitions.createViews(placements.targets());
    definitions.compare(placements.targets());
    if (settings.existing() != Existing.SHADOW) {
      proof.run(database, "");
    }
    definitions.tellOthers(placements.targets());
    placements.findings().forEach(session::finding);
    return last;
  }

  private RestoreMarker swap(Placements placements, RestoreMarker marker) throws IOException {
    RestoreMarker swapping =
        new RestoreMarker(
            marker.run(),
            marker.of(),
            Phase.SWAPPING,
            marker.isReversible(),
            placements.all().stream().map(p -> p.load().name()).toList(),
            Optional.of(retrying(() -> clearing(marker.of()).swap(placements))));
    put(swapping);
    swapOf(swapping, session.stopping()).forward();
    return swapping;
  }

  /** Everything was compared before the first collection was renamed. */
  private RestoreMarker swapAgain(CapturedArchive archive, RestoreMarker earlier)
      throws IOException {
    RestoreMarker marker = earlier.by(session.run());
    put(marker);
    tellResumed(earlier, "while collections were renamed into place");
    Placements placements = replay.isPresent() ? replayed(archive) : placements(archive);
    swapOf(marker, session.stopping()).forward();
    RestoredDefinitions definitions = definitions();
    definitions.createViews(placements.targets());
    definitions.compare(placements.targets());
    definitions.tellOthers(placements.targets());
    return marker;
  }

  private Placements placements(CapturedArchive archive) throws IOException {
    return place(archive, archive.read(new Stoppable(session)).prelude());
  }

  private ShadowSwap swapOf(RestoreMarker marker, Stopping stopping) {
    return new ShadowSwap(database, marker.swap().orElseThrow(), new Retrying(stopping));
  }

  private void tellResumed(RestoreMarker earlier, String where) {
    session.finding(
        new Finding(
            MongoFailure.RESTORE_RESUMED,
            database.name(),
            "run %s was cut off %s".formatted(earlier.run(), where)));
  }

  private void requireRoom(Placements placements) throws IOException {
    List<String> there = retrying(database::names);
    Optional<String> obstacle = Replay.obstacle(settings, there, placements.names());
    if (obstacle.isPresent()) {
      throw new BackupException.Target(
          MongoFailure.REPLAY_NEEDS_ROOM,
          "restore into database %s: %s".formatted(database.name(), obstacle.get()));
    }
  }

  private void requireMergeable(CapturedArchive archive) throws IOException {
    Merging merging = new Merging(archive);
    archive.read(merging);
    BackupException conflict = merging.comparison().conflict().orElse(null);
    if (conflict != null) {
      throw conflict;
    }
  }

  private void compareDocuments(
      CapturedArchive archive,
      Placements placements,
      ArchiveContents contents,
      RestoreMarker marker)
      throws IOException {
    try {
      if (settings.existing() == Existing.MERGE) {
        requireMerged(archive);
      } else {
        new ReadBack(database, new Retrying(session.stopping()))
            .compare(placements, contents, session.executor(), settings.parallelism());
      }
    } catch (BackupException.Target e) {
      if (e.code() == CoreFailure.CONTENT_DIFFERS) {
        put(marker.spoilt()); // whoever went on with it would find the same again
      }
      throw e;
    }
  }

  private void requireMerged(CapturedArchive archive) throws IOException {
    Merging merging = new Merging(archive);
    archive.read(merging);
    BackupException incomplete = merging.comparison().incomplete().orElse(null);
    if (incomplete != null) {
      throw incomplete;
    }
  }

  /**
   * Takes back what {@link #publish} did, where nothing that stood before was dropped or merged
   * into; where something was, says that it cannot.
   *
   * @param published what this run has restored to its end, if it came so far
   */
  public void rollBack(Optional<RestoreMarker> published) throws IOException {
    try {
      takeBackUsers();
      Optional<RestoreMarker> begun = RestoreMarker.find(database).or(() -> published);
      if (begun.isPresent() && begun.get().run().equals(session.run())) {
        rollBack(begun.get());
      }
    } catch (MongoException e) {
      throw DriverErrors.target(
          CoreFailure.TARGET_FAILED, "taking back the restore into database " + database.name(), e);
    }
  }

  private void takeBackUsers() {
    if (added.isReplacing()) {
      notTakenBack("users and roles were replaced");
    } else {
      added.drop(database);
    }
  }

  private void rollBack(RestoreMarker begun) throws IOException {
    if (begun.phase() == Phase.SWAPPING && begun.swap().isPresent()) {
      swapBack(begun);
    } else if (begun.isReversible()) {
      begun.collections().forEach(database::drop);
      RestoreMarker.removeFrom(database);
    } else {
      notTakenBack("collections were replaced or merged into, what they held before is gone");
    }
  }

  private void swapBack(RestoreMarker begun) throws IOException {
    List<String> views =
        begun.collections().stream()
            .filter(n -> !n.startsWith(begun.swap().orElseThrow().beside()))
            .toList();
    List<String> stuck = swapOf(begun, Stopping.never()).back(views);
    if (stuck.isEmpty()) {
      RestoreMarker.removeFrom(database);
    } else {
      notTakenBack(String.join("; ", stuck));
    }
  }

  private void notTakenBack(String why) {
    session.finding(new Finding(MongoFailure.NOT_TAKEN_BACK, database.name(), why));
  }

  /** Drops what was replaced, or says under which names it is kept. */
  public void settle(RestoreMarker published) throws IOException {
    if (published.swap().isEmpty()) {
      return;
    }
    try {
      ShadowSwap swap = swapOf(published, Stopping.never());
      List<String> kept = swap.kept();
      if (!settings.keepsReplaced()) {
        swap.forget();
      } else if (!kept.isEmpty()) {
        session.finding(
            new Finding(MongoFailure.REPLACED_IS_KEPT, database.name(), String.join(", ", kept)));
      }
    } catch (MongoException e) {
      throw DriverErrors.target(
          CoreFailure.TARGET_FAILED, "dropping what was replaced in " + database.name(), e);
    }
  }

  private Placements place(CapturedArchive archive, Prelude prelude) throws IOException {
    String beside = beside(settings, identity(archive));
    return place(archive, prelude, settings, database.name(), beside);
  }

  private static Placements place(
      CapturedArchive archive,
      Prelude prelude,
      RestoreSettings settings,
      String database,
      String beside)
      throws IOException {
    String archived = archive.databaseOf(prelude);
    return Placements.of(archive.collections(prelude), archived, database, settings, beside);
  }

  private RestoredDefinitions definitions() {
    return new RestoredDefinitions(database, session);
  }

  private Clearing clearing(String identity) throws IOException {
    return new Clearing(database, session.run(), settings, identity);
  }

  /** Writes nothing before the prelude is known, and everything while the archive passes. */
  private final class Load implements ArchiveReader.Visitor, AutoCloseable {
    private final CapturedArchive archive;
    private Optional<Loading> loading = Optional.empty();

    Load(CapturedArchive archive) {
      this.archive = archive;
    }

    RestoreMarker marker() {
      return loading.orElseThrow().marker();
    }

    Placements placements() {
      return loading.orElseThrow().placements();
    }

    @Override
    public void prelude(Prelude prelude) throws IOException {
      Placements placements = place(archive, prelude);
      Clearing clearing = clearing(identity(archive));
      Optional<RestoreMarker> earlier = earlier(archive);
      if (replay.isPresent() && earlier.isEmpty()) {
        requireRoom(placements);
      }
      RestoreMarker marker = retrying(() -> clearing.begin(placements, earlier(archive)));
      boolean isResumed = earlier.isPresent() && earlier.get().phase() == Phase.LOADING;
      if (isResumed) {
        tellResumed(earlier.get(), "while documents were inserted");
      }
      ResumedCollections resumed =
          new ResumedCollections(database, settings, marker, isResumed, session.stopping());
      resumed.create(placements.loads(), definitions());
      CollectionLoader loader =
          new CollectionLoader(
              database, placements, resumed::loading, session, settings, archive.storedBytes());
      loading = Optional.of(new Loading(placements, marker, loader));
    }

    @Override
    public void document(Prelude.Entry of, byte[] buffer, int offset, int length)
        throws IOException {
      if (archive.isRestored(of.namespace())) {
        loading.orElseThrow().loader().document(of, buffer, offset, length);
      }
    }

    @Override
    public void end(Prelude.Entry of, Tally tally) throws IOException {
      loading.orElseThrow().loader().end(of, tally);
    }

    void finish() throws IOException {
      CollectionLoader loader = loading.orElseThrow().loader();
      loader.finish();
      if (settings.existing() == Existing.MERGE && loader.found() > 0) {
        session.finding(
            new Finding(
                MongoFailure.MERGED,
                database.name(),
                loader.found() + " documents were there already, byte for byte"));
      }
    }

    @Override
    public void close() {
      loading.ifPresent(l -> l.loader().close());
    }
  }

  /** What exists once the prelude is known. */
  private record Loading(Placements placements, RestoreMarker marker, CollectionLoader loader) {}

  /** Compares what passes with what is there. */
  private final class Merging implements ArchiveReader.Visitor {
    private final CapturedArchive archive;
    private Optional<MergeComparison> comparison = Optional.empty();

    Merging(CapturedArchive archive) {
      this.archive = archive;
    }

    MergeComparison comparison() {
      return comparison.orElseThrow();
    }

    @Override
    public void prelude(Prelude prelude) throws IOException {
      Placements placements = place(archive, prelude);
      String identity = identity(archive);
      boolean isFirst = earlier(archive).isEmpty();
      retrying(
          () -> {
            clearing(identity).requireFitting(placements, isFirst);
            return isFirst;
          });
      comparison = Optional.of(new MergeComparison(database, placements, session.stopping()));
    }

    @Override
    public void document(Prelude.Entry of, byte[] buffer, int offset, int length)
        throws IOException {
      if (archive.isRestored(of.namespace())) {
        comparison().document(of, buffer, offset, length);
      }
    }

    @Override
    public void end(Prelude.Entry of, Tally tally) throws IOException {
      comparison().end(of, tally);
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
