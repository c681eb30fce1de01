package org.stellaops.backup.mongo;

import com.mongodb.client.MongoClient;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.bson.BsonTimestamp;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;

/** Everything that a database is, in a form that can be compared with that of another name. */
final class DatabaseState {
  private DatabaseState() {}

  /** By collection: type, options, indexes, and documents by {@code _id}. */
  static Map<String, List<String>> now(MongoClient client, String database) {
    return of(client, database, null);
  }

  /** The same with the documents of a cluster time; collections and indexes are those of now. */
  static Map<String, List<String>> at(MongoClient client, String database, BsonTimestamp time) {
    return of(client, database, time);
  }

  private static Map<String, List<String>> of(
      MongoClient client, String database, BsonTimestamp time) {
    Map<String, List<String>> state = new TreeMap<>();
    for (CollectionSpec spec : new RawDatabase(client, database).collections()) {
      List<String> lines = new ArrayList<>();
      lines.add(spec.type() + " " + spec.options());
      spec.indexes().stream().map(BsonDocument::toString).sorted().forEach(lines::add);
      documents(client, database, spec, time).stream()
          .map(BsonValue::toString)
          .sorted()
          .forEach(lines::add);
      state.put(spec.name(), lines);
    }
    return state;
  }

  private static List<BsonValue> documents(
      MongoClient client, String database, CollectionSpec spec, BsonTimestamp time) {
    if (time == null || spec.isView()) {
      List<BsonValue> all = new ArrayList<>();
      client
          .getDatabase(database)
          .getCollection(spec.name(), RawBsonDocument.class)
          .find()
          .forEach(all::add);
      return all;
    }
    BsonDocument find =
        new BsonDocument("find", new BsonString(spec.name()))
            .append("batchSize", new BsonInt32(1_000_000))
            .append(
                "readConcern",
                new BsonDocument("level", new BsonString("snapshot"))
                    .append("atClusterTime", time));
    return client
        .getDatabase(database)
        .runCommand(find, BsonDocument.class)
        .getDocument("cursor")
        .getArray("firstBatch")
        .getValues();
  }
}
