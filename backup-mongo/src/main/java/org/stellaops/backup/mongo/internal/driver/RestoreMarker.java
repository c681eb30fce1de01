package org.stellaops.backup.mongo.internal.driver;

import com.mongodb.client.MongoCursor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bson.BsonArray;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.BsonTimestamp;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.stellaops.backup.model.RunId;

/**
 * The collection that stands in a database for as long as a restore into it is not complete. It is
 * written before anything else and dropped after everything else, so a database without it is
 * either untouched or whole, whatever was killed when; and whoever takes a restore back, or goes on
 * with it, knows what that restore has made.
 *
 * @param run that restores, or has gone on with the restore last
 * @param of digest of what is restored and how; only a restore of the same may go on
 * @param phase how far it is
 * @param isReversible whether nothing that stood there was touched, so that all can be taken back
 * @param collections that the restore creates, by the names under which they are filled
 * @param swap what changes places at the end; empty unless it is restored beside what is live
 */
public record RestoreMarker(
    RunId run,
    String of,
    Phase phase,
    boolean isReversible,
    List<String> collections,
    Optional<Swap> swap) {
  /** Name of the collection. */
  public static final String COLLECTION = "stella.backup.unfinished";

  private static final String MARKER_ID = "restore";
  private static final String REPLAY_ID = "replay";
  private static final String PROGRESS = "progress:";

  public RestoreMarker {
    collections = List.copyOf(collections);
  }

  /** How far a restore is. */
  public enum Phase {
    /** What is to be replaced is dropped. */
    CLEARING,
    /** Documents are inserted, compared and indexed. */
    LOADING,
    /** An oplog is replayed over documents that were compared. */
    REPLAYING,
    /** Indexes are made, of what was replayed to its end. */
    INDEXING,
    /** What was restored beside is renamed into place. */
    SWAPPING
  }

  /**
   * What changes places.
   *
   * @param beside prefix of the names under which collections are filled
   * @param before prefix of the names under which the replaced ones are kept
   * @param names final names of what is moved in
   * @param replaced names that are moved out
   * @param views definitions of views that are dropped
   */
  public record Swap(
      String beside,
      String before,
      List<String> names,
      List<String> replaced,
      List<BsonDocument> views) {
    public Swap {
      names = List.copyOf(names);
      replaced = List.copyOf(replaced);
      views = List.copyOf(views);
    }
  }

  /**
   * How far one collection is.
   *
   * @param documents of the archive, from its first, that are there
   * @param lastBatch where among them the last batch begins, which is compared when it goes on
   */
  public record Progress(long documents, long lastBatch) {}

  /**
   * How far a replay is.
   *
   * @param written up to here everything is there; 0 if nothing is
   * @param writing up to here something may be there
   */
  public record Replayed(BsonTimestamp written, BsonTimestamp writing) {
    /** Nothing. */
    public static final Replayed NOTHING = new Replayed(new BsonTimestamp(0), new BsonTimestamp(0));
  }

  /** The marker that stands in a database. */
  public static Optional<RestoreMarker> find(RawDatabase database) {
    BsonDocument byId = new BsonDocument("_id", new BsonString(MARKER_ID));
    try (MongoCursor<RawBsonDocument> found =
        database.sorted(COLLECTION, byId, new BsonDocument())) {
      return found.hasNext() ? Optional.of(decode(found.next())) : Optional.empty();
    }
  }

  /** Puts it there instead of what another restore left, and forgets how far that was. */
  public void begin(RawDatabase database) {
    database.deleteAllBut(COLLECTION, new BsonString(MARKER_ID));
    putInto(database);
  }

  /** Puts it there instead of one of the same restore. */
  public void putInto(RawDatabase database) {
    BsonDocument document =
        new BsonDocument("_id", new BsonString(MARKER_ID))
            .append("run", new BsonString(run.value()))
            .append("of", new BsonString(of))
            .append("phase", new BsonString(phase.name()))
            .append("reversible", BsonBoolean.valueOf(isReversible))
            .append("collections", strings(collections));
    swap.ifPresent(s -> document.append("swap", encode(s)));
    database.put(COLLECTION, document);
  }

  /** The same in another phase. */
  public RestoreMarker in(Phase other) {
    return new RestoreMarker(run, of, other, isReversible, collections, swap);
  }

  /** The same, gone on with by another run. */
  public RestoreMarker by(RunId other) {
    return new RestoreMarker(other, of, phase, isReversible, collections, swap);
  }

  /** The same, that creates these as well. */
  public RestoreMarker creating(List<String> more) {
    Set<String> all = new LinkedHashSet<>(collections);
    all.addAll(more);
    return new RestoreMarker(run, of, phase, isReversible, List.copyOf(all), swap);
  }

  /** The same of something that nobody can go on with. */
  public RestoreMarker spoilt() {
    return new RestoreMarker(run, "", phase, isReversible, collections, swap);
  }

  /** Notes how far one collection is. */
  public static void progress(RawDatabase database, String collection, Progress progress) {
    database.put(
        COLLECTION,
        new BsonDocument("_id", new BsonString(PROGRESS + collection))
            .append("documents", new BsonInt64(progress.documents()))
            .append("lastBatch", new BsonInt64(progress.lastBatch())));
  }

  /** How far each collection is that has begun. */
  public static Map<String, Progress> progress(RawDatabase database) {
    Map<String, Progress> all = new HashMap<>();
    try (MongoCursor<RawBsonDocument> found =
        database.sorted(COLLECTION, new BsonDocument(), new BsonDocument())) {
      while (found.hasNext()) {
        BsonDocument document = found.next();
        String id = document.getString("_id").getValue();
        if (id.startsWith(PROGRESS)) {
          all.put(id.substring(PROGRESS.length()), decodeProgress(document));
        }
      }
    }
    return all;
  }

  /** Notes how far a replay is: in numbers, since a server puts its own time for a timestamp 0. */
  public static void replayed(RawDatabase database, Replayed replayed) {
    database.put(
        COLLECTION,
        new BsonDocument("_id", new BsonString(REPLAY_ID))
            .append("written", new BsonInt64(replayed.written().getValue()))
            .append("writing", new BsonInt64(replayed.writing().getValue())));
  }

  /** How far a replay is. */
  public static Replayed replayed(RawDatabase database) {
    BsonDocument byId = new BsonDocument("_id", new BsonString(REPLAY_ID));
    try (MongoCursor<RawBsonDocument> found =
        database.sorted(COLLECTION, byId, new BsonDocument())) {
      if (!found.hasNext()) {
        return Replayed.NOTHING;
      }
      BsonDocument document = found.next();
      return new Replayed(timestamp(document, "written"), timestamp(document, "writing"));
    }
  }

  private static BsonTimestamp timestamp(BsonDocument document, String field) {
    return new BsonTimestamp(document.getInt64(field).getValue());
  }

  /** Says that the restore is complete, or taken back. */
  public static void removeFrom(RawDatabase database) {
    database.drop(COLLECTION);
  }

  private static Progress decodeProgress(BsonDocument document) {
    return new Progress(
        document.getInt64("documents").getValue(), document.getInt64("lastBatch").getValue());
  }

  private static RestoreMarker decode(BsonDocument document) {
    return new RestoreMarker(
        new RunId(document.getString("run").getValue()),
        document.getString("of", new BsonString("")).getValue(),
        Phase.valueOf(document.getString("phase", new BsonString(Phase.LOADING.name())).getValue()),
        document.getBoolean("reversible", BsonBoolean.FALSE).getValue(),
        strings(document, "collections"),
        Optional.ofNullable(document.get("swap")).map(s -> decodeSwap(s.asDocument())));
  }

  private static BsonDocument encode(Swap swap) {
    return new BsonDocument("beside", new BsonString(swap.beside()))
        .append("before", new BsonString(swap.before()))
        .append("names", strings(swap.names()))
        .append("replaced", strings(swap.replaced()))
        .append("views", new BsonArray(swap.views()));
  }

  private static Swap decodeSwap(BsonDocument document) {
    return new Swap(
        document.getString("beside").getValue(),
        document.getString("before").getValue(),
        strings(document, "names"),
        strings(document, "replaced"),
        document.getArray("views").stream().map(BsonValue::asDocument).toList());
  }

  private static BsonArray strings(List<String> values) {
    BsonArray array = new BsonArray();
    values.forEach(v -> array.add(new BsonString(v)));
    return array;
  }

  private static List<String> strings(BsonDocument document, String field) {
    List<String> values = new ArrayList<>();
    for (BsonValue value : document.getArray(field, new BsonArray())) {
      values.add(value.asString().getValue());
    }
    return values;
  }
}
