package org.stellaops.backup.mongo.internal.driver;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bson.BsonArray;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.stellaops.backup.model.RunId;

/**
 * The collection that stands in a database for as long as a restore into it is not complete. It is
 * written before anything else and dropped after everything else, so a database without it is
 * either untouched or whole, whatever was killed when; and whoever takes a restore back knows what
 * that restore has made.
 *
 * @param run that restores
 * @param wasEmpty whether the database held nothing before, so that everything can be taken back
 * @param collections that the restore creates
 */
public record RestoreMarker(RunId run, boolean wasEmpty, List<String> collections) {
  /** Name of the collection. */
  public static final String COLLECTION = "stella.backup.unfinished";

  public RestoreMarker {
    collections = List.copyOf(collections);
  }

  /** The marker that stands in a database. */
  public static Optional<RestoreMarker> find(RawDatabase database) {
    BsonDocument reply =
        database.run(
            new BsonDocument("find", new BsonString(COLLECTION))
                .append("singleBatch", BsonBoolean.TRUE));
    BsonArray found = reply.getDocument("cursor").getArray("firstBatch");
    return found.isEmpty() ? Optional.empty() : Optional.of(decode(found.get(0).asDocument()));
  }

  /** Puts it there, instead of one that an earlier restore left. */
  public void putInto(RawDatabase database) {
    BsonArray names = new BsonArray();
    collections.forEach(c -> names.add(new BsonString(c)));
    BsonDocument document =
        new BsonDocument("_id", new BsonString("restore"))
            .append("run", new BsonString(run.value()))
            .append("wasEmpty", BsonBoolean.valueOf(wasEmpty))
            .append("collections", names);
    database.put(COLLECTION, document);
  }

  /** Says that the restore is complete, or taken back. */
  public static void removeFrom(RawDatabase database) {
    database.drop(COLLECTION);
  }

  private static RestoreMarker decode(BsonDocument document) {
    List<String> names = new ArrayList<>();
    for (BsonValue name : document.getArray("collections")) {
      names.add(name.asString().getValue());
    }
    return new RestoreMarker(
        new RunId(document.getString("run").getValue()),
        document.getBoolean("wasEmpty").getValue(),
        names);
  }
}
