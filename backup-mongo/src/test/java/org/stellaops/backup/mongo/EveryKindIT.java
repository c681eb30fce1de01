package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.Document;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.mongo.fixture.MongodSim;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.RunningTally;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** Every type, option and kind of index, there and back, by us and by the tools of MongoDB. */
class EveryKindIT {
  private static final String DB = "every";
  private static MongodSim server;
  @TempDir private Path directory;

  @BeforeAll
  static void start() {
    server = MongodSim.replicaSet();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @BeforeEach
  void fill() {
    List.of(DB, "drill", "many").forEach(name -> client().getDatabase(name).drop());
    EveryKind.fill(client().getDatabase(DB));
  }

  private static MongoClient client() {
    return server.client();
  }

  private static Map<String, String> definitions(String database) {
    return EveryKind.definitions(new RawDatabase(client(), database));
  }

  private static Map<String, Tally> tallies(String database) throws IOException {
    RawDatabase raw = new RawDatabase(client(), database);
    Map<String, Tally> tallies = new TreeMap<>();
    for (CollectionSpec spec : raw.collections()) {
      RunningTally tally = new RunningTally();
      if (!spec.isView()) {
        raw.read(spec.dataName(), tally::add);
      }
      tallies.put(spec.name(), tally.value());
    }
    return tallies;
  }

  private static Captured capture(String database) throws IOException {
    return CaptureHarness.of(MongoSource.database(client(), database)).capture();
  }

  @Test
  void all_of_it_comes_back() throws Exception {
    Map<String, Tally> tallies = tallies(DB);
    Map<String, String> definitions = definitions(DB);

    RestoreHarness restore = RestoreHarness.of(MongoTarget.into(client(), "drill"), capture(DB));
    restore.restore();

    assertEquals(tallies, tallies("drill"));
    assertSame(definitions, definitions("drill"));
    assertEquals(List.of(), restore.findings());
  }

  @Test
  @Tag("interop")
  void mongorestore_brings_all_of_it_back() throws Exception {
    Map<String, Tally> tallies = tallies(DB);
    Path archive = directory.resolve("ours.archive");
    Files.write(archive, capture(DB).bytes(DB + ".archive"));
    Map<String, String> definitions = definitions(DB);
    client().getDatabase(DB).drop();

    restoreByTool(archive);

    assertEquals(tallies, tallies(DB));
    assertSame(definitions, definitions(DB));
  }

  /** Names what differs, since all of it together is long. */
  private static void assertSame(Map<String, String> expected, Map<String, String> found) {
    Map<String, String> missing = new TreeMap<>(expected);
    missing.entrySet().removeAll(found.entrySet());
    Map<String, String> more = new TreeMap<>(found);
    more.entrySet().removeAll(expected.entrySet());
    assertEquals(Map.of(), missing, () -> "instead there is " + more);
    assertEquals(Map.of(), more);
  }

  @Test
  @Tag("interop")
  void what_mongodump_wrote_comes_back() throws Exception {
    Map<String, Tally> tallies = tallies(DB);
    Path archive = directory.resolve("theirs.archive.gz");
    dumpByTool(DB, archive);
    Captured registered = CaptureHarness.of(MongoArchiveSource.of(archive)).capture();

    RestoreHarness.of(MongoTarget.into(client(), "drill"), registered).restore();

    assertEquals(tallies, tallies("drill"));
    assertSame(definitions(DB), definitions("drill"));
  }

  @Test
  @Tag("interop")
  void a_thousand_collections_change_hands_both_ways() throws Exception {
    changeHands(1_000);
  }

  @Test
  @Tag("soak")
  void ten_thousand_collections_change_hands_both_ways() throws Exception {
    changeHands(10_000);
  }

  private void changeHands(int collections) throws Exception {
    MongoDatabase many = client().getDatabase("many");
    for (int i = 0; i < collections; i++) {
      many.runCommand(new BsonDocument("create", new BsonString("c" + i)));
    }
    many.getCollection("c777").insertOne(new Document("_id", 1));
    Path ours = directory.resolve("ours.archive");
    Files.write(ours, capture("many").bytes("many.archive"));
    Path theirs = directory.resolve("theirs.archive.gz");
    dumpByTool("many", theirs);
    many.drop();

    restoreByTool(ours);
    RestoreHarness.of(
            MongoTarget.into(client(), "drill"),
            CaptureHarness.of(MongoArchiveSource.of(theirs)).capture())
        .restore();

    assertEquals(collections, tallies("many").size());
    assertEquals(tallies("many"), tallies("drill"));
    assertEquals(1, tallies("drill").get("c777").documents());
  }

  private void dumpByTool(String database, Path to) throws Exception {
    Program.run(
        directory,
        "mongodump",
        "--uri=" + server.connectionString(),
        "--db=" + database,
        "--gzip",
        "--archive=" + to);
  }

  private void restoreByTool(Path archive) throws Exception {
    String printed =
        Program.run(
            directory,
            "mongorestore",
            "--uri=" + server.connectionString(),
            "--archive=" + archive,
            "--stopOnError");
    assertTrue(printed.contains(" 0 document(s) failed"), printed);
  }
}
