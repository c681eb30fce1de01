package org.stellaops.backup.mongo.internal.driver;

import com.mongodb.MongoCommandException;
import com.mongodb.ReadPreference;
import com.mongodb.WriteConcern;
import com.mongodb.client.FindIterable;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoCursor;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.CountOptions;
import com.mongodb.client.model.ReplaceOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.bson.BsonTimestamp;
import org.bson.BsonValue;
import org.bson.ByteBuf;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonValueCodecProvider;
import org.bson.codecs.configuration.CodecRegistries;
import org.bson.codecs.configuration.CodecRegistry;
import org.jspecify.annotations.Nullable;
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

  private final MongoClient client;
  private final MongoDatabase database;
  private final MongoDatabase admin;

  /** Of a client that outlives this. */
  public RawDatabase(MongoClient client, String name) {
    this.client = client;
    this.admin = client.getDatabase("admin").withCodecRegistry(RAW);
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

  /** The same without indexes: one question for all of them. */
  public List<CollectionSpec> collectionsWithoutIndexes() {
    List<CollectionSpec> specs = new ArrayList<>();
    for (RawBsonDocument reply : database.listCollections(RawBsonDocument.class)) {
      if (!ListedCollection.isTheServersOwn(reply)) {
        specs.add(ListedCollection.spec(reply, List.of()));
      }
    }
    specs.sort(Comparator.comparing(CollectionSpec::name));
    return specs;
  }

  /** The client it was made of. */
  public MongoClient client() {
    return client;
  }

  /** The same server's other databases. */
  public RawDatabase sibling(String name) {
    return new RawDatabase(client, name);
  }

  /** Somebody who reads this database, with a session of his own. */
  public RawReader reader(ServerFacts server, Buffers buffers) {
    return new RawReader(client, name(), server.hasSessions(), buffers);
  }

  /**
   * The cluster time of the newest operation that a majority has; empty where the server has none.
   */
  public Optional<BsonTimestamp> majorityTime() {
    return majority().get("ts") instanceof BsonTimestamp timestamp
        ? Optional.of(timestamp)
        : Optional.empty();
  }

  /** The term in which that was written; 0 where the server has none. */
  public long majorityTerm() {
    return number(majority().get("t"));
  }

  private BsonDocument majority() {
    BsonDocument lastWrite = hello().getDocument("lastWrite", new BsonDocument());
    return lastWrite.getDocument("majorityOpTime", new BsonDocument());
  }

  /** How large a collection is, as far as the server says. */
  public CollectionSize size(String collection) {
    BsonDocument stats = run(new BsonDocument("collStats", new BsonString(collection)));
    return new CollectionSize(number(stats.get("count")), number(stats.get("size")));
  }

  private static long number(@Nullable BsonValue value) {
    return value != null && value.isNumber() ? value.asNumber().longValue() : 0;
  }

  /** The {@code _id}s of some documents, picked by the server at random and in its order. */
  public List<BsonValue> sampleIds(String collection, int documents) {
    List<BsonDocument> stages =
        List.of(
            BsonDocument.parse("{$sample: {size: " + documents + "}}"),
            BsonDocument.parse("{$project: {_id: 1}}"),
            BsonDocument.parse("{$sort: {_id: 1}}"));
    List<BsonValue> ids = new ArrayList<>();
    for (RawBsonDocument sampled : raw(collection).aggregate(stages)) {
      BsonValue id = sampled.get("_id");
      if (id != null) {
        ids.add(id);
      }
    }
    return ids;
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
    return number(run(command("dbStats")).get("dataSize"));
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
   * Inserts documents as they are, one by itself or all that fit into a command of 16 MiB.
   *
   * @param isOrdered whether they are stored in this order, and nothing behind the first failure
   * @param isUnvalidated whether the collection's validator is passed over, which takes a right of
   *     its own and is therefore asked for only where there is one
   * @return those that the server did not take, in order
   */
  public List<RefusedInsert> insert(
      String collection,
      List<RawBsonDocument> documents,
      boolean isOrdered,
      boolean isUnvalidated) {
    BsonDocument reply = run(InsertCommand.of(collection, documents, isOrdered, isUnvalidated));
    if (reply.get("writeConcernError") instanceof BsonDocument error) {
      throw new NotReplicatedException((int) number(error.get("code")));
    }
    List<RefusedInsert> refused = new ArrayList<>();
    for (BsonValue error : reply.getArray("writeErrors", new BsonArray())) {
      BsonDocument told = error.asDocument();
      refused.add(
          new RefusedInsert((int) number(told.get("index")), (int) number(told.get("code"))));
    }
    refused.sort(Comparator.comparingInt(RefusedInsert::index));
    return refused;
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

  /** Deletes every document but the one of this {@code _id}. */
  public void deleteAllBut(String collection, BsonValue id) {
    raw(collection).deleteMany(new BsonDocument("_id", new BsonDocument("$ne", id)));
  }

  /** Drops a collection or view; nothing happens where there is none. */
  public void drop(String collection) {
    raw(collection).drop();
  }

  /** Renames a collection within the database; fails where one of the new name stands. */
  public void rename(String from, String to) {
    admin.runCommand(
        new BsonDocument("renameCollection", new BsonString(name() + "." + from))
            .append("to", new BsonString(name() + "." + to))
            .append("writeConcern", new BsonDocument("w", new BsonString("majority"))),
        RawBsonDocument.class);
  }

  /** The documents that have one of these {@code _id}s, in any order. */
  public List<RawBsonDocument> withIds(String collection, List<BsonValue> ids) {
    BsonDocument filter = new BsonDocument("_id", new BsonDocument("$in", new BsonArray(ids)));
    return raw(collection).find(filter).into(new ArrayList<>());
  }

  /** Documents that match, in an order, as bytes; the caller closes. */
  public MongoCursor<RawBsonDocument> sorted(
      String collection, BsonDocument filter, BsonDocument sort) {
    FindIterable<RawBsonDocument> found =
        raw(collection).find(filter).sort(sort).batchSize(BATCH_DOCUMENTS);
    return sort.isEmpty() ? found.iterator() : found.allowDiskUse(true).iterator();
  }

  /** How many documents match, counted one by one. */
  public long count(String collection, BsonDocument filter, long withinMillis) {
    return raw(collection)
        .countDocuments(filter, new CountOptions().maxTime(withinMillis, TimeUnit.MILLISECONDS));
  }

  private MongoCollection<RawBsonDocument> raw(String collection) {
    return database.getCollection(collection, RawBsonDocument.class);
  }
}
