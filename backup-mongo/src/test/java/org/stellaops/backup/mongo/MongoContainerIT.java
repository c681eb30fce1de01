package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoDatabase;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.bson.BsonDbPointer;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonJavaScriptWithScope;
import org.bson.BsonMaxKey;
import org.bson.BsonMinKey;
import org.bson.BsonSymbol;
import org.bson.BsonUndefined;
import org.bson.Document;
import org.bson.types.ObjectId;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.junit.jupiter.Testcontainers;
import org.testcontainers.mongodb.MongoDBContainer;

/** The contract on mongod, with what only mongod has. */
@Tag("docker")
@Testcontainers(disabledWithoutDocker = true)
@ParameterizedClass
@ValueSource(strings = {"mongo:5", "mongo:6", "mongo:7", "mongo:8"})
class MongoContainerIT extends RoundTripContract {
  private static MongoDBContainer mongod;
  private static MongoClient client;

  MongoContainerIT(String image) {
    assertEquals(image, mongod.getDockerImageName());
  }

  @BeforeParameterizedClassInvocation
  static void start(String image) {
    mongod = new MongoDBContainer(image);
    mongod.start();
    client = MongoClients.create(mongod.getConnectionString());
  }

  @AfterParameterizedClassInvocation
  static void stop() {
    client.close();
    mongod.stop();
  }

  @Override
  MongoClient client() {
    return client;
  }

  @Test
  void options_views_and_special_indexes_are_restored_without_a_difference() throws Exception {
    // given
    MongoDatabase database = client.getDatabase(DB);
    run(database, "{create: 'log', capped: true, size: 65536, max: 100}");
    run(
        database,
        "{create: 'strict', validator: {$expr: {$gt: ['$b', '$a']}}, validationLevel: 'moderate',"
            + " validationAction: 'error'}");
    run(database, "{create: 'german', collation: {locale: 'de', strength: 2}}");
    run(database, "{create: 'clustered', clusteredIndex: {key: {_id: 1}, unique: true}}");
    run(database, "{create: 'inner', viewOn: 'issuers', pipeline: [{$sort: {z: 1, a: 1}}]}");
    run(database, "{create: 'a_outer', viewOn: 'inner', pipeline: [{$match: {n: 1}}]}");
    run(
        database,
        "{createIndexes: 'german', indexes: ["
            + "{key: {a: 1}, name: 'inherits'},"
            + "{key: {b: 1}, name: 'simple', collation: {locale: 'simple'}}]}");
    run(
        database,
        "{createIndexes: 'issuers', indexes: ["
            + "{key: {at: 1}, name: 'ttl', expireAfterSeconds: 3600},"
            + "{key: {t: 'text'}, name: 'text', weights: {t: 3}, default_language: 'german'},"
            + "{key: {'a.$**': 1}, name: 'wild'},"
            + "{key: {p: '2dsphere'}, name: 'geo'},"
            + "{key: {_id: 'hashed'}, name: 'hashed'},"
            + "{key: {s: 1, r: -1}, name: 'partial', unique: true, hidden: true,"
            + " partialFilterExpression: {s: {$exists: true}}}]}");
    for (int i = 0; i < 150; i++) {
      database.getCollection("log").insertOne(new Document("i", i));
    }
    // when
    Map<String, Tally> before = tallies(DB);
    Map<String, BsonDocument> indexesBefore = SampleData.indexes(client, DB);
    RestoreHarness restore = RestoreHarness.of(MongoTarget.into(client, "drill"), capture());
    restore.restore();
    // then
    assertEquals(List.of(), restore.findings());
    assertEquals(before, tallies("drill"));
    assertEquals(indexesBefore, SampleData.indexes(client, "drill"));
    assertEquals(
        positions(database), positions(client.getDatabase("drill")), "order of the capped one");
  }

  @Test
  void every_bson_type_comes_back_byte_for_byte() throws Exception {
    client
        .getDatabase(DB)
        .getCollection("types", BsonDocument.class)
        .insertOne(
            new BsonDocument("_id", new BsonInt32(1))
                .append("undefined", new BsonUndefined())
                .append("pointer", new BsonDbPointer("db.x", new ObjectId()))
                .append("symbol", new BsonSymbol("s"))
                .append("scope", new BsonJavaScriptWithScope("f()", new BsonDocument()))
                .append("min", new BsonMinKey())
                .append("max", new BsonMaxKey()));
    Map<String, Tally> before = tallies(DB);
    RestoreHarness.of(MongoTarget.into(client, "drill"), capture()).restore();
    assertEquals(before, tallies("drill"));
  }

  @Test
  void a_time_series_is_restored_with_its_buckets() throws Exception {
    MongoDatabase database = client.getDatabase(DB);
    run(database, "{create: 'weather', timeseries: {timeField: 't', metaField: 'm'}}");
    List<Document> measured = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      Instant time = Instant.parse("2026-01-01T00:00:00Z").plusSeconds(i);
      measured.add(new Document("t", Date.from(time)).append("m", i % 7).append("v", i));
    }
    database.getCollection("weather").insertMany(measured);
    Captured captured = capture();
    RestoreHarness.of(MongoTarget.into(client, "drill"), captured).restore();
    assertEquals(
        measured.size(), client.getDatabase("drill").getCollection("weather").countDocuments());
  }

  @Test
  void our_archive_is_read_by_the_mongorestore_of_the_server_itself() throws Exception {
    // given
    Map<String, Tally> before = tallies(DB);
    byte[] archive = capture().bytes(DB + ".archive");
    mongod.copyFileToContainer(Transferable.of(archive), "/tmp/ours.archive");
    client.getDatabase(DB).drop();
    // when
    var result = mongod.execInContainer("mongorestore", "--archive=/tmp/ours.archive");
    // then
    assertEquals(0, result.getExitCode(), result.getStderr());
    assertTrue(result.getStderr().contains("0 document(s) failed"), result.getStderr());
    assertEquals(before, tallies(DB));
  }

  private static List<Object> positions(MongoDatabase database) {
    List<Object> positions = new ArrayList<>();
    database.getCollection("log").find().forEach(d -> positions.add(d.get("i")));
    return positions;
  }

  private static void run(MongoDatabase database, String command) {
    database.runCommand(BsonDocument.parse(command));
  }
}
