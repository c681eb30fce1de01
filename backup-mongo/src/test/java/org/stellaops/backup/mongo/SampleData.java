package org.stellaops.backup.mongo;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.IndexOptions;
import com.mongodb.client.model.Indexes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.bson.BsonBinary;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.RawBsonDocument;
import org.stellaops.backup.mongo.internal.archive.RunningTally;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;

/** The issuer directory, and a way to write down what a database holds. */
final class SampleData {
  static final int ISSUERS = 250;
  static final int KEYS = 700;
  static final int AUDIT = 1500;

  private SampleData() {}

  /** Four collections, one of them empty, with indexes. */
  static void fill(MongoDatabase database) {
    Random random = new Random(42);
    insert(database, "issuers", ISSUERS, random);
    insert(database, "issuer_keys", KEYS, random);
    insert(database, "issuer_audit", AUDIT, random);
    database.createCollection("issuer_trust_overrides");
    database
        .getCollection("issuers")
        .createIndex(Indexes.ascending("name"), new IndexOptions().unique(true));
    database
        .getCollection("issuer_keys")
        .createIndex(
            Indexes.compoundIndex(Indexes.ascending("n"), Indexes.descending("name")),
            new IndexOptions().unique(true).name("by n"));
  }

  private static void insert(MongoDatabase database, String name, int count, Random random) {
    MongoCollection<BsonDocument> collection = database.getCollection(name, BsonDocument.class);
    List<BsonDocument> documents = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] payload = new byte[random.nextInt(600)];
      random.nextBytes(payload);
      documents.add(
          new BsonDocument("_id", new BsonInt32(i))
              .append("name", new BsonString(name + "-" + i))
              .append("n", new BsonInt64(random.nextLong()))
              .append("payload", new BsonBinary(payload)));
    }
    collection.insertMany(documents);
  }

  /** What every collection comes to, read without the code under test's archive. */
  static Map<String, Tally> tallies(MongoClient client, String database) throws IOException {
    RawDatabase raw = new RawDatabase(client, database);
    Map<String, Tally> tallies = new TreeMap<>();
    for (String name : raw.names()) {
      RunningTally tally = new RunningTally();
      raw.read(name, tally::add);
      tallies.put(name, tally.value());
    }
    return tallies;
  }

  /** Index definitions by collection and name. */
  static Map<String, BsonDocument> indexes(MongoClient client, String database) {
    Map<String, BsonDocument> indexes = new TreeMap<>();
    for (String name : new RawDatabase(client, database).names()) {
      client
          .getDatabase(database)
          .getCollection(name)
          .listIndexes(BsonDocument.class)
          .forEach(
              index -> {
                index.remove("ns");
                indexes.put(name + " " + index.getString("name").getValue(), index);
              });
    }
    return indexes;
  }

  /** Document of these bytes, in hexadecimal. */
  static RawBsonDocument raw(String hex) {
    return new RawBsonDocument(HexFormat.of().parseHex(hex.replace(" ", "")));
  }
}
