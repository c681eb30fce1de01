package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.MongoNamespace;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.Filters;
import com.mongodb.client.model.Updates;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonTimestamp;
import org.bson.Document;
import org.bson.RawBsonDocument;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.UnreachablePointException;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.fixture.MongodSim;
import org.stellaops.backup.mongo.internal.archive.ArchiveReader;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.mongo.internal.archive.TestArchive;
import org.stellaops.backup.mongo.internal.restore.Replay;
import org.stellaops.backup.testkit.ArtifactDamage;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;
import org.stellaops.backup.testkit.RestorePlanned;

/** An archive of a whole server with its oplog, as {@code mongodump --oplog} writes it. */
class MongoOplogArchiveIT {
  private static final String ARCHIVE = "instance.archive";
  private static final List<String> DATABASES = List.of("fresh", "issuers", "shop");

  @TempDir private Path directory;

  private MongodSim sim;
  private MongodSim other;
  private MongoClient client;

  @BeforeEach
  void start() {
    sim = MongodSim.replicaSet();
    other = MongodSim.replicaSet();
    client = other.client();
  }

  @AfterEach
  void stop() {
    sim.close();
    other.close();
  }

  private MongoDatabase database(String name) {
    return sim.client().getDatabase(name);
  }

  private List<RawBsonDocument> documents(String database, String collection) {
    return database(database)
        .getCollection(collection, RawBsonDocument.class)
        .find()
        .into(new ArrayList<>());
  }

  private List<RawBsonDocument> oplogFrom(BsonTimestamp first) {
    List<RawBsonDocument> entries = documents("local", "oplog.rs");
    entries.removeIf(e -> e.getTimestamp("ts").compareTo(first) < 0);
    return entries;
  }

  private void fill() {
    for (int i = 0; i < 30; i++) {
      database("issuers").getCollection("keys").insertOne(new Document("_id", i).append("n", i));
      database("shop").getCollection("orders").insertOne(new Document("_id", i).append("n", i));
    }
    database("shop").getCollection("early").insertOne(new Document("_id", 1));
  }

  /** What is written while mongodump reads one collection after the other. */
  private void write(int step) {
    MongoDatabase issuers = database("issuers");
    MongoDatabase shop = database("shop");
    issuers.getCollection("keys").updateOne(Filters.eq(step), Updates.inc("n", 100));
    issuers.getCollection("keys").deleteOne(Filters.eq(10 + step));
    shop.getCollection("orders").insertOne(new Document("_id", 100 + step));
    shop.getCollection("orders").updateOne(Filters.eq(step), Updates.set("a.b", step));
    try (ClientSession session = sim.client().startSession()) {
      session.withTransaction(
          () -> {
            issuers.getCollection("keys").insertOne(session, new Document("_id", "t" + step));
            shop.getCollection("orders").insertOne(session, new Document("_id", "t" + step));
            return step;
          });
    }
    shop.getCollection("late").insertOne(new Document("_id", step));
    shop.getCollection("late").createIndex(new Document("x" + step, 1));
    database("fresh").getCollection("first").insertOne(new Document("_id", step));
    database("admin").getCollection("system.keys").insertOne(new Document("_id", step));
    database("config").getCollection("settings").insertOne(new Document("_id", "s" + step));
  }

  /** Two databases and an oplog; each collection is read later than the one before. */
  private Map<Namespace, List<? extends BsonDocument>> dumped() {
    fill();
    BsonTimestamp start = sim.clusterTime();
    Map<Namespace, List<? extends BsonDocument>> contents = new LinkedHashMap<>();
    contents.put(new Namespace("admin", "system.version"), List.of(numbered(1)));
    contents.put(new Namespace("issuers", "keys"), documents("issuers", "keys"));
    write(1);
    database("shop").getCollection("early").drop();
    contents.put(new Namespace("shop", "early"), List.of());
    contents.put(new Namespace("shop", "orders"), documents("shop", "orders"));
    write(2);
    contents.put(Namespace.OPLOG, oplogFrom(start));
    return contents;
  }

  private static BsonDocument numbered(int id) {
    return new BsonDocument("_id", new BsonInt32(id));
  }

  private Captured registered(Map<Namespace, List<? extends BsonDocument>> contents)
      throws IOException {
    return registered(TestArchive.of(contents));
  }

  private Captured registered(byte[] archive) throws IOException {
    Path file = directory.resolve("instance");
    Files.write(file, archive);
    return CaptureHarness.of(MongoArchiveSource.of(file)).capture();
  }

  private List<String> restored() {
    TreeSet<String> names = client.listDatabaseNames().into(new TreeSet<>());
    names.removeAll(List.of("admin", "config", "local"));
    return List.copyOf(names);
  }

  private void requireSame(String database, String into) {
    assertEquals(
        DatabaseState.now(sim.client(), database), DatabaseState.now(client, into), database);
  }

  @ParameterizedTest
  @EnumSource(
      value = Existing.class,
      names = {"REFUSE", "SHADOW", "REPLACE"})
  void all_databases_are_as_they_were_at_the_end_of_the_oplog(Existing existing) throws Exception {
    Captured captured = registered(dumped());
    assertEquals("OPLOG_FENCED", captured.source().properties().get("consistency"));
    assertEquals(List.of(), captured.findings());

    RestoreHarness harness =
        RestoreHarness.of(MongoTarget.instance(client).existing(existing), captured);
    RestorePlanned planned = harness.restore();

    String end = captured.source().properties().get("end");
    assertTrue(
        planned.steps().toString().contains("oplog that the capture brings along, up to " + end),
        planned.steps().toString());
    assertEquals(DATABASES, restored());
    DATABASES.forEach(name -> requireSame(name, name));
    List<Finding> told =
        harness.findings().stream().filter(f -> f.code() == MongoFailure.OPLOG_REPLAYED).toList();
    assertEquals(DATABASES, told.stream().map(Finding::subject).sorted().toList());
    assertTrue(told.get(0).found().contains("up to " + end), told.toString());
    assertEquals(
        List.of("admin.system.version"),
        harness.findings().stream()
            .filter(f -> f.code() == MongoFailure.NOT_SELECTED)
            .map(Finding::found)
            .toList());
    assertEquals(0, client.getDatabase("config").getCollection("settings").countDocuments());
  }

  @Test
  void chosen_databases_come_alone_and_under_other_names() throws Exception {
    Captured captured = registered(dumped());
    RestoreHarness.of(MongoTarget.into(client, "one").only("shop"), captured).restore();
    assertEquals(List.of("one"), restored());
    requireSame("shop", "one");
    RestoreHarness.of(
            MongoTarget.instance(client).only("issuers").rename("issuers.*", "drill.*"), captured)
        .restore();
    requireSame("issuers", "drill");
    RestoreHarness.of(MongoTarget.into(client, "two").only("fresh"), captured).restore();
    requireSame("fresh", "two");
    assertEquals(List.of("drill", "one", "two"), restored());
  }

  @Test
  void an_archive_that_mongodump_wrote_of_a_real_server_is_restored() throws Exception {
    byte[] real;
    try (InputStream in =
        MongoOplogArchiveIT.class.getResourceAsStream("/mongodump/dump-w-oplog.archive")) {
      real = in.readAllBytes();
    }
    RestoreHarness.of(MongoTarget.instance(client), registered(real)).restore();
    assertEquals(List.of("test"), restored());
    assertEquals(25, client.getDatabase("test").getCollection("foo").countDocuments());
  }

  @Test
  void no_point_is_reached_but_the_end_of_the_oplog() throws Exception {
    Captured captured = registered(dumped());
    for (RecoveryPoint point :
        List.of(RecoveryPoint.latest(), RecoveryPoint.at(Instant.parse("2030-01-01T00:00:00Z")))) {
      var e =
          assertThrows(
              UnreachablePointException.class,
              () -> Replay.of(captured.source(), Optional.of(point), Optional.empty()));
      assertEquals(CoreFailure.STREAM_MISSING, e.code());
    }
    assertTrue(
        Replay.of(captured.source(), Optional.of(RecoveryPoint.immediate()), Optional.empty())
            .isPresent());
  }

  @Test
  void an_oplog_that_makes_no_one_state_is_kept_and_told_and_not_restored() throws Exception {
    Map<Namespace, List<? extends BsonDocument>> whole = dumped();
    unusable(with(whole, List.of()), "it is empty");
    unusable(with(whole, List.of(numbered(1))), "behind 0.0");
    List<BsonDocument> turned = new ArrayList<>(whole.get(Namespace.OPLOG));
    Collections.swap(turned, 3, 4);
    unusable(with(whole, turned), "stands behind entry");

    Map<Namespace, List<? extends BsonDocument>> early = new LinkedHashMap<>();
    early.put(Namespace.OPLOG, whole.get(Namespace.OPLOG));
    whole.forEach(early::putIfAbsent);
    unusable(early, "it stands before documents of admin.system.version");
    assertEquals(List.of(), restored());
  }

  private static Map<Namespace, List<? extends BsonDocument>> with(
      Map<Namespace, List<? extends BsonDocument>> contents, List<? extends BsonDocument> oplog) {
    Map<Namespace, List<? extends BsonDocument>> other = new LinkedHashMap<>(contents);
    other.put(Namespace.OPLOG, oplog);
    return other;
  }

  private void unusable(Map<Namespace, List<? extends BsonDocument>> contents, String why)
      throws IOException {
    Captured captured = registered(contents);
    assertEquals("UNKNOWN", captured.source().properties().get("consistency"));
    assertEquals(
        List.of(MongoFailure.OPLOG_UNUSABLE),
        captured.findings().stream().map(Finding::code).toList());
    String found = captured.findings().get(0).found();
    assertTrue(found.contains(why), found);
    for (MongoTarget target :
        List.of(MongoTarget.instance(client), MongoTarget.into(client, "one").only("shop"))) {
      RestoreHarness harness = RestoreHarness.of(target, captured);
      var e = assertThrows(BackupException.Target.class, harness::stage);
      assertEquals(MongoFailure.NOT_RESTORABLE, e.code());
      assertTrue(e.getMessage().contains(why), e.getMessage());
      assertThrows(BackupException.Target.class, harness::publish);
    }
  }

  @Test
  void a_rename_stops_those_that_it_concerns_and_no_others() throws Exception {
    fill();
    BsonTimestamp start = sim.clusterTime();
    Map<Namespace, List<? extends BsonDocument>> contents = new LinkedHashMap<>();
    contents.put(new Namespace("issuers", "keys"), documents("issuers", "keys"));
    contents.put(new Namespace("shop", "orders"), documents("shop", "orders"));
    contents.put(new Namespace("shop", "early"), documents("shop", "early"));
    database("shop").getCollection("early").renameCollection(new MongoNamespace("shop", "named"));
    contents.put(Namespace.OPLOG, oplogFrom(start));
    Captured captured = registered(contents);

    stopped(MongoTarget.into(client, "one").only("shop"), captured, MongoFailure.OPLOG_RENAMED);
    stopped(
        MongoTarget.into(client, "one").only("shop").exclude("named"),
        captured,
        MongoFailure.OPLOG_RENAMED_ACROSS);
    assertEquals(List.of(), restored());
    RestoreHarness.of(MongoTarget.into(client, "one").only("issuers"), captured).restore();
    requireSame("issuers", "one");
  }

  private static void stopped(MongoTarget target, Captured captured, MongoFailure code) {
    RestoreHarness harness = RestoreHarness.of(target, captured);
    var e = assertThrows(BackupException.Target.class, harness::restore);
    assertEquals(code, e.code(), e.getMessage());
  }

  @Test
  void nothing_is_written_where_a_byte_of_the_oplog_is_wrong_or_missing() throws Exception {
    byte[] archive = TestArchive.of(dumped());
    Captured captured = registered(archive);
    long begin = oplogBegins(archive);
    assertTrue(archive.length - begin > 2_000, (archive.length - begin) + " bytes");
    client.listDatabaseNames().first(); // connected, so that only commands can follow
    for (String write : List.of("create", "insert", "update", "delete")) {
      other.faults().fail(write, Integer.MAX_VALUE, 8000, "AtlasError", "nothing may be written");
    }
    for (long at = begin; at < archive.length; at += 139) {
      for (ArtifactDamage damage : List.of(ArtifactDamage.flip(at), ArtifactDamage.truncate(at))) {
        RestoreHarness harness =
            RestoreHarness.of(MongoTarget.into(client, "one").only("shop"), captured);
        harness.damage(ARCHIVE, damage);
        assertThrows(BackupException.Corrupt.class, harness::restore, "byte " + at);
      }
    }
    assertEquals(List.of(), restored());
  }

  /** At most so many bytes before the first entry. */
  private static long oplogBegins(byte[] archive) throws IOException {
    long[] bytes = new long[1];
    ArchiveReader.read(
        new ByteArrayInputStream(archive),
        new ArchiveReader.Visitor() {
          @Override
          public void document(Prelude.Entry of, byte[] buffer, int offset, int length) {
            bytes[0] += of.namespace().equals(Namespace.OPLOG) ? length : 0;
          }
        });
    return archive.length - bytes[0] - 80;
  }

  @Test
  void no_flipped_byte_of_an_oplog_and_no_cut_is_ever_registered() throws Exception {
    byte[] archive = TestArchive.of(dumped());
    for (int at = (int) oplogBegins(archive); at < archive.length; at += 67) {
      byte[] flipped = archive.clone();
      flipped[at] ^= 0x10;
      assertThrows(BackupException.Corrupt.class, () -> registered(flipped), "byte " + at);
      byte[] cut = Arrays.copyOf(archive, at);
      assertThrows(BackupException.Corrupt.class, () -> registered(cut), "cut to " + at);
    }
  }
}
