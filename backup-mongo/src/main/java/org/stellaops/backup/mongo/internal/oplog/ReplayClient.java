package org.stellaops.backup.mongo.internal.oplog;

import com.mongodb.ReadPreference;
import com.mongodb.WriteConcern;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoCursor;
import com.mongodb.client.model.BulkWriteOptions;
import com.mongodb.client.model.DeleteOneModel;
import com.mongodb.client.model.ReplaceOneModel;
import com.mongodb.client.model.ReplaceOptions;
import com.mongodb.client.model.WriteModel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonValueCodecProvider;
import org.bson.codecs.configuration.CodecRegistries;
import org.bson.codecs.configuration.CodecRegistry;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;

/** A server behind a client that is lent, written to at majority. */
final class ReplayClient implements ReplayServer {
  private static final CodecRegistry RAW =
      CodecRegistries.fromProviders(new BsonValueCodecProvider());
  private static final ReplaceOptions UPSERT = new ReplaceOptions().upsert(true);

  private final MongoClient client;

  ReplayClient(MongoClient client) {
    this.client = client;
  }

  private MongoCollection<RawBsonDocument> collection(Namespace namespace) {
    return client
        .getDatabase(namespace.database())
        .withCodecRegistry(RAW)
        .withReadPreference(ReadPreference.primary())
        .withWriteConcern(WriteConcern.MAJORITY)
        .getCollection(namespace.collection(), RawBsonDocument.class);
  }

  @Override
  public Map<RawDocument, RawDocument> fetch(Namespace namespace, Collection<RawDocument> ids) {
    BsonArray values = new BsonArray();
    ids.forEach(id -> values.add(value(id)));
    BsonDocument filter = new BsonDocument("_id", new BsonDocument("$in", values));
    Map<RawDocument, RawDocument> found = new HashMap<>();
    try (MongoCursor<RawBsonDocument> cursor = collection(namespace).find(filter).iterator()) {
      while (cursor.hasNext()) {
        RawDocument document = RawDocument.of(cursor.next());
        found.put(Ids.of(document.get("_id")), document);
      }
    }
    return found;
  }

  private static BsonValue value(RawDocument id) {
    return Objects.requireNonNull(id.forDriver().get("_id"));
  }

  @Override
  public void write(Namespace namespace, List<Change> changes) {
    List<WriteModel<RawBsonDocument>> models = new ArrayList<>();
    for (Change change : changes) {
      // In operators, so that an id which is a document with a dollar is not taken for one.
      BsonDocument filter = new BsonDocument("_id", new BsonDocument("$eq", value(change.id())));
      models.add(
          change.document().isPresent()
              ? new ReplaceOneModel<>(filter, change.document().get().forDriver(), UPSERT)
              : new DeleteOneModel<>(filter));
    }
    BulkWriteOptions options = new BulkWriteOptions().ordered(true);
    collection(namespace).bulkWrite(models, options);
  }

  @Override
  public void run(String database, BsonDocument command) {
    new RawDatabase(client, database).run(command);
  }

  @Override
  public List<String> names(String database) {
    return new RawDatabase(client, database).names();
  }
}
