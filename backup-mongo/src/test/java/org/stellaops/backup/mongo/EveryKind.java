package org.stellaops.backup.mongo;

import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bson.BsonArray;
import org.bson.BsonBinary;
import org.bson.BsonBoolean;
import org.bson.BsonDateTime;
import org.bson.BsonDbPointer;
import org.bson.BsonDecimal128;
import org.bson.BsonDocument;
import org.bson.BsonDouble;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonJavaScript;
import org.bson.BsonJavaScriptWithScope;
import org.bson.BsonMaxKey;
import org.bson.BsonMinKey;
import org.bson.BsonNull;
import org.bson.BsonObjectId;
import org.bson.BsonRegularExpression;
import org.bson.BsonString;
import org.bson.BsonSymbol;
import org.bson.BsonTimestamp;
import org.bson.BsonUndefined;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.types.Decimal128;
import org.bson.types.ObjectId;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;

/** A database with a document of every type, and a collection and an index of every kind. */
final class EveryKind {
  private static final int INDEXES = 64;
  private static final int NESTED = 100;

  private EveryKind() {}

  static void fill(MongoDatabase database) {
    MongoCollection<BsonDocument> types = database.getCollection("types", BsonDocument.class);
    types.insertMany(types());
    // Duplicate names, and a double that is NaN with a payload of its own.
    database
        .getCollection("odd", RawBsonDocument.class)
        .insertOne(
            SampleData.raw(
                "27000000 105f696400 01000000 106100 01000000 106100 02000000"
                    + " 016e00 efbeadde0000f87f 00"));
    run(database, "{create: 'empty'}");
    run(database, "{create: 'log', capped: true, size: 65536, max: 100}");
    run(database, "{create: 'german', collation: {locale: 'de', strength: 2}}");
    run(
        database,
        "{create: 'strict', validator: {n: {$exists: true}}, validationLevel: 'strict',"
            + " validationAction: 'error'}");
    run(database, "{create: 'a_view', viewOn: 'z_view', pipeline: [{$match: {a: 1}}]}");
    run(database, "{create: 'z_view', viewOn: 'types', pipeline: []}");
    run(
        database,
        "{create: 'weather', timeseries: {timeField: 't', metaField: 'm', granularity: 'hours'}}");
    run(
        database,
        "{createIndexes: 'german', indexes: ["
            + "{key: {a: 1}, name: 'own', collation: {locale: 'fr'}},"
            + "{key: {b: 1}, name: 'plain', collation: {locale: 'simple'}}]}");
    run(database, "{createIndexes: 'empty', indexes: [" + String.join(",", indexes()) + "]}");
    for (int i = 0; i < 150; i++) {
      database
          .getCollection("log", BsonDocument.class)
          .insertOne(new BsonDocument("_id", new BsonInt32(150 - i)));
    }
    database
        .getCollection("strict", BsonDocument.class)
        .insertOne(BsonDocument.parse("{_id: 1, n: 2}"));
    database
        .getCollection("system.buckets.weather", BsonDocument.class)
        .insertOne(
            BsonDocument.parse(
                "{_id: {$oid: '0123456789abcdef01234567'}, control: {version: 1,"
                    + " min: {t: {$date: 0}, v: 1}, max: {t: {$date: 60000}, v: 2}},"
                    + " meta: 'm', data: {t: {'0': {$date: 0}, '1': {$date: 60000}},"
                    + " v: {'0': 1, '1': 2}}}"));
    large(database.getCollection("large", BsonDocument.class));
  }

  /** With {@code _id_} as many as a collection may have. */
  private static List<String> indexes() {
    List<String> indexes =
        new ArrayList<>(
            List.of(
                "{key: {at: 1}, name: 'ttl', expireAfterSeconds: 3600}",
                "{key: {t: 'text'}, name: 'text', weights: {t: 3}, default_language: 'german'}",
                "{key: {'a.$**': 1}, name: 'wild'}",
                "{key: {p: '2dsphere'}, name: 'geo', '2dsphereIndexVersion': 3}",
                "{key: {_id: 'hashed'}, name: 'hashed'}",
                "{key: {s: 1, r: -1}, name: 'partial', unique: true, hidden: true,"
                    + " partialFilterExpression: {s: {$exists: true}}}",
                "{key: {x: 1}, name: 'sparse \\\"quoted\\\" \u00e9', sparse: true}"));
    while (indexes.size() < INDEXES - 1) {
      indexes.add("{key: {f%1$d: 1}, name: 'f%1$d'}".formatted(indexes.size()));
    }
    return indexes;
  }

  /** The largest document that a server stores. */
  private static void large(MongoCollection<BsonDocument> collection) {
    int overhead = 4 + 1 + 4 + 4 + 1 + 2 + 4 + 1 + 1;
    byte[] bytes = new byte[(16 << 20) - overhead];
    bytes[7] = 1;
    collection.insertOne(
        new BsonDocument("_id", new BsonInt32(1)).append("b", new BsonBinary(bytes)));
  }

  private static List<BsonDocument> types() {
    List<BsonValue> values =
        new ArrayList<>(
            List.of(
                new BsonDouble(-0.0),
                new BsonDouble(Double.NaN),
                new BsonDouble(Double.MIN_VALUE),
                new BsonString("\u00e9\u4e2d\ud83d\ude00\0x"),
                new BsonDocument("$numberInt", new BsonString("7")),
                new BsonDocument("a.b", new BsonDocument("$x", new BsonInt32(1))),
                new BsonDocument("", new BsonInt32(1)),
                new BsonArray(List.of(new BsonInt32(1), new BsonArray())),
                new BsonUndefined(),
                new BsonObjectId(new ObjectId("0123456789abcdef01234567")),
                BsonBoolean.TRUE,
                new BsonDateTime(Long.MIN_VALUE),
                BsonNull.VALUE,
                new BsonRegularExpression("^a/\"b", "imsx"),
                new BsonDbPointer("db.x", new ObjectId("0123456789abcdef01234567")),
                new BsonJavaScript("f()"),
                new BsonSymbol("s"),
                new BsonJavaScriptWithScope("f()", new BsonDocument("x", new BsonInt32(1))),
                new BsonInt32(Integer.MIN_VALUE),
                new BsonTimestamp(7, 9),
                new BsonInt64(Long.MIN_VALUE),
                new BsonDecimal128(Decimal128.parse("-1.230E-6143")),
                new BsonDecimal128(Decimal128.NaN),
                new BsonMinKey(),
                new BsonMaxKey(),
                nested()));
    for (int subtype : new int[] {0, 1, 2, 5, 6, 7, 8, 128, 255}) {
      values.add(new BsonBinary((byte) subtype, new byte[] {1, 2, 3}));
    }
    values.add(new BsonBinary((byte) 3, new byte[16]));
    values.add(new BsonBinary((byte) 4, new byte[16]));
    List<BsonDocument> documents = new ArrayList<>();
    for (BsonValue value : values) {
      documents.add(
          new BsonDocument("_id", new BsonInt32(documents.size())).append("value", value));
    }
    documents.add(new BsonDocument("_id", new BsonMinKey()));
    documents.add(new BsonDocument("_id", BsonNull.VALUE));
    documents.add(new BsonDocument("_id", new BsonDocument("a", new BsonInt32(1))));
    documents.add(new BsonDocument("_id", new BsonString("a")));
    documents.add(new BsonDocument("_id", new BsonMaxKey()));
    return documents;
  }

  private static BsonDocument nested() {
    BsonDocument inner = new BsonDocument("end", new BsonInt32(1));
    for (int depth = 1; depth < NESTED - 1; depth++) {
      inner = new BsonDocument("d", inner);
    }
    return inner;
  }

  private static void run(MongoDatabase database, String command) {
    database.runCommand(BsonDocument.parse(command));
  }

  /**
   * Type, options and indexes of everything, as the server tells them. Identities are apart, and
   * the order of an index's options, which mongorestore does not keep.
   */
  static Map<String, String> definitions(RawDatabase database) {
    Map<String, String> definitions = new TreeMap<>();
    for (CollectionSpec spec : database.collections()) {
      definitions.put(spec.name(), spec.type() + " " + new TreeMap<>(spec.options()));
      for (BsonDocument index : spec.indexes()) {
        String name = spec.name() + " " + index.getString("name").getValue();
        definitions.put(name, new TreeMap<>(index).toString());
      }
    }
    return definitions;
  }
}
