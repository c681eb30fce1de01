package org.stellaops.backup.mongo.internal.driver;

import com.mongodb.MongoCommandException;
import com.mongodb.ReadPreference;
import com.mongodb.WriteConcern;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoCursor;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.BulkWriteOptions;
import com.mongodb.client.model.InsertOneModel;
import com.mongodb.client.model.ReplaceOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonValue;
import org.bson.ByteBuf;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonValueCodecProvider;
import org.bson.codecs.configuration.CodecRegistries;
import org.bson.codecs.configuration.CodecRegistry;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.DocumentSink;

/**
 * One database, seen as bytes. Throws what the driver throws; whoever calls knows what was tried
 * and translates ({@link DriverErrors}).
 *
 * <p>Reads from the primary: a secondary may not have what was just restored, and may be behind
 * what a capture is asked for. Brings its own codecs, since those of a client that is lent to us
 * may read something else into documents.
 */
public final class RawDatabase {
  /** Error code 59, CommandNotFound (mongo, src/mongo/base/error_codes.yml). */
  private static final int COMMAND_NOT_FOUND = 59;

  /**
   * A server ends a batch at 16 MiB too. Without this its first has 101 documents, and some servers
   * put everything into one.
   */
  private static final int BATCH_DOCUMENTS = 1_000;

  private static final CodecRegistry RAW =
      CodecRegistries.fromProviders(new BsonValueCodecProvider());

  private final MongoDatabase database;

  /** Of a client that outlives this. */
  public RawDatabase(MongoClient client, String name) {
    this.database =
        client
            .getDatabase(name)
            .withCodecRegistry(RAW)
            .withReadPreference(ReadPreference.primary())
            .withWriteConcern(WriteConcern.MAJORITY);
  }

  /** Its name. */
  public String name() {
    return database.getName();
  }

  /** Asks the server about itself. */
  public ServerFacts server() {
    return ServerFacts.of(hello(), run(command("buildInfo")));
  }

  private BsonDocument hello() {
    try {
      return run(command("hello"));
    } catch (MongoCommandException e) {
      if (e.getErrorCode() != COMMAND_NOT_FOUND) {
        throw e;
      }
      return run(command("isMaster")); // servers before 4.4.2
    }
  }

  private static BsonDocument command(String name) {
    return new BsonDocument(name, new BsonInt32(1));
  }

  /** Runs a command. */
  public BsonDocument run(BsonDocument command) {
    return database.runCommand(command, RawBsonDocument.class);
  }

  /** Collections, views and time series, as {@code listCollections} gives them, by name. */
  public List<CollectionSpec> collections() {
    List<CollectionSpec> specs = new ArrayList<>();
    for (RawBsonDocument reply : database.listCollections(RawBsonDocument.class)) {
      if (!ListedCollection.isTheServersOwn(reply)) {
        specs.add(ListedCollection.spec(reply, indexes(reply)));
      }
    }
    specs.sort(Comparator.comparing(CollectionSpec::name));
    return specs;
  }

  private List<BsonDocument> indexes(BsonDocument listed) {
    if (ListedCollection.isView(listed)) {
      return List.of();
    }
    return database
        .getCollection(ListedCollection.name(listed), RawBsonDocument.class)
        .listIndexes(RawBsonDocument.class)
        .into(new ArrayList<>());
  }

  /** Names of everything but what the server keeps for itself, in order. */
  public List<String> names() {
    List<String> names = new ArrayList<>();
    for (RawBsonDocument reply : database.listCollections(RawBsonDocument.class)) {
      if (!ListedCollection.isTheServersOwn(reply)) {
        names.add(ListedCollection.name(reply));
      }
    }
    names.sort(Comparator.naturalOrder());
    return names;
  }

  /** Documents of a collection, from what the server counts anyway. */
  public long estimatedCount(String collection) {
    return database.getCollection(collection).estimatedDocumentCount();
  }

  /** Bytes of all documents; 0 where the server does not say. */
  public long dataBytes() {
    BsonValue size = run(command("dbStats")).get("dataSize");
    return size != null && size.isNumber() ? size.asNumber().longValue() : 0;
  }

  /** Every document, in the order they are stored in; for capped collections that of insertion. */
  public void read(String collection, DocumentSink sink) throws IOException {
    try (MongoCursor<RawBsonDocument> cursor =
        raw(collection).find().batchSize(BATCH_DOCUMENTS).iterator()) {
      while (cursor.hasNext()) {
        ByteBuf bytes = cursor.next().getByteBuffer();
        sink.document(bytes.array(), bytes.position(), bytes.remaining());
      }
    }
  }

  /**
   * Inserts documents as they are.
   *
   * @param isOrdered whether they are stored in this order, and nothing behind the first failure
   * @param isUnvalidated whether the collection's validator is passed over, which takes a right of
   *     its own and is therefore asked for only where there is one
   */
  public void insert(
      String collection,
      List<RawBsonDocument> documents,
      boolean isOrdered,
      boolean isUnvalidated) {
    List<InsertOneModel<RawBsonDocument>> models =
        documents.stream().map(InsertOneModel::new).toList();
    BulkWriteOptions options = new BulkWriteOptions().ordered(isOrdered);
    if (isUnvalidated) {
      options.bypassDocumentValidation(true);
    }
    raw(collection).bulkWrite(models, options);
  }

  /** Writes one document with an {@code _id}, whether or not there is one of that already. */
  public void put(String collection, BsonDocument document) {
    database
        .getCollection(collection, BsonDocument.class)
        .replaceOne(
            new BsonDocument("_id", document.get("_id")),
            document,
            new ReplaceOptions().upsert(true));
  }

  /** Drops a collection or view; nothing happens where there is none. */
  public void drop(String collection) {
    raw(collection).drop();
  }

  private MongoCollection<RawBsonDocument> raw(String collection) {
    return database.getCollection(collection, RawBsonDocument.class);
  }
}
