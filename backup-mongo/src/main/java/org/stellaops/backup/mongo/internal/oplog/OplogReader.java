package org.stellaops.backup.mongo.internal.oplog;

import com.mongodb.CursorType;
import com.mongodb.MongoCommandException;
import com.mongodb.MongoException;
import com.mongodb.ReadConcern;
import com.mongodb.ReadPreference;
import com.mongodb.client.FindIterable;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoCursor;
import com.mongodb.client.MongoDatabase;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.bson.BsonTimestamp;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonValueCodecProvider;
import org.bson.codecs.configuration.CodecRegistries;
import org.bson.codecs.configuration.CodecRegistry;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoFailure;

/**
 * The oplog of a replica set, as the primary shows it to a majority read: what is seen here is
 * never rolled back. Throws what the driver throws.
 */
public final class OplogReader {
  /** How long a server waits for the next entry before it says that there is none. */
  private static final Duration AWAIT = Duration.ofMillis(250);

  private static final CodecRegistry RAW =
      CodecRegistries.fromProviders(new BsonValueCodecProvider());

  private final MongoClient client;
  private final MongoDatabase local;
  private final MongoCollection<RawBsonDocument> oplog;

  /** Over a client that outlives this. */
  public OplogReader(MongoClient client) {
    this.client = client;
    this.local = database("local");
    this.oplog = local.getCollection("oplog.rs", RawBsonDocument.class);
  }

  private MongoDatabase database(String name) {
    return client
        .getDatabase(name)
        .withCodecRegistry(RAW)
        .withReadPreference(ReadPreference.primary())
        .withReadConcern(ReadConcern.MAJORITY);
  }

  /** The name of a replica set as it stands in a lineage. */
  public static String lineage(String replicaSet) {
    return replicaSet.replaceAll("[^A-Za-z0-9._-]", "_");
  }

  private BsonDocument hello() {
    return database("admin")
        .runCommand(
            new BsonDocument("hello", new BsonInt32(1)),
            ReadPreference.primary(),
            BsonDocument.class);
  }

  /**
   * Name of the replica set.
   *
   * @throws BackupException.Refused if it is none
   */
  public String replicaSet() throws BackupException.Refused {
    BsonValue name = hello().get("setName");
    if (name == null || !name.isString()) {
      throw new BackupException.Refused(
          MongoFailure.NOT_A_REPLICA_SET, "the server is no member of a replica set");
    }
    return name.asString().getValue();
  }

  /** Id that the replica set was given when it was initiated; empty where it may not be read. */
  public Optional<String> replicaSetId() {
    try {
      BsonDocument config =
          local.getCollection("system.replset", BsonDocument.class).find().limit(1).first();
      return Optional.ofNullable(config)
          .map(c -> c.getDocument("settings", new BsonDocument()).get("replicaSetId"))
          .filter(BsonValue::isObjectId)
          .map(id -> id.asObjectId().getValue().toHexString());
    } catch (MongoCommandException e) {
      return Optional.empty();
    }
  }

  /** The newest entry that a majority has. */
  public BsonTimestamp majority() {
    return lastWrite("majorityOpTime");
  }

  /** The newest entry that the primary has. */
  BsonTimestamp newest() {
    return lastWrite("opTime");
  }

  private BsonTimestamp lastWrite(String which) {
    return hello().getDocument("lastWrite").getDocument(which).getTimestamp("ts");
  }

  /** The oldest entry of a transaction that has no end yet. */
  public Optional<BsonTimestamp> oldestTransaction() {
    BsonDocument open =
        new BsonDocument(
            "state",
            new BsonDocument(
                "$in",
                new BsonArray(List.of(new BsonString("prepared"), new BsonString("inProgress")))));
    Optional<BsonTimestamp> oldest = Optional.empty();
    MongoCollection<BsonDocument> transactions =
        database("config").getCollection("transactions", BsonDocument.class);
    for (BsonDocument transaction : transactions.find(open)) {
      BsonValue begun = transaction.get("startOpTime");
      if (begun != null && begun.isDocument()) {
        BsonTimestamp ts = begun.asDocument().getTimestamp("ts");
        oldest = Optional.of(oldest.map(o -> OplogTimes.earlier(o, ts)).orElse(ts));
      }
    }
    return oldest;
  }

  /** From where on everything is needed that is not in a read which begins now. */
  public BsonTimestamp start() {
    BsonTimestamp majority = majority();
    return oldestTransaction().map(o -> OplogTimes.earlier(o, majority)).orElse(majority);
  }

  /** The oldest entry that is there. */
  Optional<RawDocument> first() {
    return end(1);
  }

  /** The newest entry that is there. */
  Optional<RawDocument> last() {
    return end(-1);
  }

  /** How far back it reaches. */
  public Optional<Duration> window() {
    Optional<RawDocument> first = first();
    Optional<RawDocument> last = last();
    return first.isEmpty() || last.isEmpty()
        ? Optional.empty()
        : Optional.of(
            Duration.between(
                OplogTimes.instant(first.get().get("ts").timestamp()),
                OplogTimes.instant(last.get().get("ts").timestamp())));
  }

  private Optional<RawDocument> end(int direction) {
    return Optional.ofNullable(
            oplog
                .find()
                .sort(new BsonDocument("$natural", new BsonInt32(direction)))
                .limit(1)
                .first())
        .map(RawDocument::of);
  }

  /** Entries from a place on, which may be there or not, and those that will come. */
  Tail tail(BsonTimestamp from) {
    FindIterable<RawBsonDocument> found =
        oplog
            .find(new BsonDocument("ts", new BsonDocument("$gte", from)))
            .cursorType(CursorType.TailableAwait)
            .maxAwaitTime(AWAIT.toMillis(), TimeUnit.MILLISECONDS);
    return new Tail(found.iterator());
  }

  /** A cursor that waits at the end. */
  static final class Tail implements AutoCloseable {
    private final MongoCursor<RawBsonDocument> cursor;

    private Tail(MongoCursor<RawBsonDocument> cursor) {
      this.cursor = cursor;
    }

    /** The next entry; empty if none came within a moment. */
    Optional<RawDocument> next() {
      return Optional.ofNullable(cursor.tryNext()).map(RawDocument::of);
    }

    /** Whether the server has ended it, as it does where there was nothing to begin with. */
    boolean isDead() {
      return cursor.getServerCursor() == null;
    }

    @Override
    public void close() {
      try {
        cursor.close();
      } catch (MongoException e) {
        // what it was read for is known, or failed for another reason
      }
    }
  }
}
