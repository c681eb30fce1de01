package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.fixture.MongodSim;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.restore.RestoreSettings.Pace;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** Restores that are killed, cut off and lied to, on a simulated member of a replica set. */
class MongoRestoreFaultsIT {
  private static final String DB = "issuers";
  private static final String DRILL = "drill";
  private static final Pace SMALL = new Pace(4_000, 20);
  private static final List<String> COMMANDS =
      List.of(
          "find",
          "getMore",
          "insert",
          "update",
          "delete",
          "create",
          "createIndexes",
          "drop",
          "listCollections",
          "listIndexes",
          "renameCollection",
          "killCursors",
          "count");

  /** IllegalOperation: nothing that is tried again. */
  private static final int DEAD = 20;

  @TempDir private Path directory;

  private MongodSim sim;
  private MongoClient client;
  private ExecutorService threads;
  private Captured captured;
  private Map<String, Tally> original;

  @BeforeEach
  void start() throws IOException {
    sim = MongodSim.replicaSet();
    client = sim.client();
    threads = Executors.newFixedThreadPool(4);
    fill(client.getDatabase(DB));
    original = tallies(DB);
    captured = CaptureHarness.of(MongoSource.database(client, DB)).capture();
  }

  @AfterEach
  void stop() {
    threads.shutdownNow();
    sim.close();
  }

  private static void fill(MongoDatabase database) {
    run(database, "{create: 'log', capped: true, size: 100000}");
    run(database, "{create: 'people', collation: {locale: 'de', strength: 1}}");
    for (String name : List.of("log", "people", "keys")) {
      List<BsonDocument> documents = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        documents.add(
            new BsonDocument("_id", new BsonInt32((i * 7919) % 1000))
                .append("n", new BsonString(name + i)));
      }
      database.getCollection(name, BsonDocument.class).insertMany(documents);
    }
    run(
        database,
        "{createIndexes: 'keys', indexes: [{key: {n: 1}, name: 'n', unique: true},"
            + " {key: {at: 1}, name: 'ttl', expireAfterSeconds: 3600}]}");
    run(database, "{create: 'view', viewOn: 'keys', pipeline: [{$match: {_id: {$gt: 3}}}]}");
  }

  @Test
  void a_restore_that_is_killed_before_any_of_its_commands_is_finished_by_the_next()
      throws Exception {
    int points = killEverywhere(target(), database -> {});
    assertTrue(points > 30, "only %d points".formatted(points));
  }

  @Test
  void a_merge_that_is_killed_before_any_of_its_commands_is_finished_by_the_next()
      throws Exception {
    killEverywhere(
        target().existing(Existing.MERGE),
        database ->
            database
                .getCollection("keys", BsonDocument.class)
                .insertMany(
                    client
                        .getDatabase(DB)
                        .getCollection("keys", BsonDocument.class)
                        .find()
                        .limit(30)
                        .into(new ArrayList<>())));
  }

  @Test
  void a_shadow_that_is_killed_before_any_of_its_commands_is_finished_by_the_next()
      throws Exception {
    killEverywhere(
        target().existing(Existing.SHADOW),
        database -> {
          database.getCollection("keys").insertOne(new Document("_id", "old"));
          run(database, "{create: 'view', viewOn: 'keys', pipeline: []}");
        });
  }

  @Test
  void a_shadow_that_fails_before_any_of_its_commands_is_taken_back() throws Exception {
    for (int point = 1; ; point++) {
      client.getDatabase(DRILL).drop();
      client.getDatabase(DRILL).getCollection("keys").insertOne(new Document("_id", "old"));
      run(client.getDatabase(DRILL), "{create: 'view', viewOn: 'keys', pipeline: []}");
      Map<String, Tally> before = tallies(DRILL);
      RestoreHarness restore = harness(target().existing(Existing.SHADOW));
      restore.stage();
      if (!publishUntil(point, restore)) {
        assertEquals(original, tallies(DRILL));
        return;
      }
      restore.rollBack();
      assertEquals(before, tallies(DRILL), "failed at command " + point);
    }
  }

  /** What is in the target before anything is restored. */
  private interface Before {
    void put(MongoDatabase database);
  }

  /** How many points there were. */
  private int killEverywhere(MongoTarget target, Before before) throws Exception {
    for (int point = 1; ; point++) {
      client.getDatabase(DRILL).drop();
      before.put(client.getDatabase(DRILL));
      RestoreHarness killed = harness(target);
      killed.stage();
      boolean isDead = publishUntil(point, killed);
      if (isDead) {
        RestoreHarness again = harness(target);
        assertEquals(List.of(), again.plan().blockers(), "killed at command " + point);
        again.restore();
      }
      assertEquals(original, tallies(DRILL), "killed at command " + point);
      assertEquals(indexes(DB), indexes(DRILL), "killed at command " + point);
      if (!isDead) {
        return point;
      }
    }
  }

  /** Whether it was killed: false where it was through before. */
  private boolean publishUntil(int point, RestoreHarness restore) throws IOException {
    AtomicInteger left = new AtomicInteger(point);
    Set<String> dead = new LinkedHashSet<>(COMMANDS);
    for (String command : COMMANDS) {
      sim.faults()
          .before(
              command,
              c -> {
                if (left.decrementAndGet() == 0) {
                  dead.forEach(
                      d -> sim.faults().fail(d, Integer.MAX_VALUE, DEAD, "Dead", "the end"));
                }
              });
    }
    try {
      restore.publish();
      sim.faults().clear();
      restore.settle();
      return false;
    } catch (BackupException e) {
      assertTrue(left.get() <= 0, e.toString());
      return true;
    } finally {
      sim.faults().clear();
    }
  }

  @Test
  @Tag("interop") // only for the time it takes: each lost answer is waited for
  void answers_that_are_lost_neither_lose_nor_double_a_document() throws Exception {
    for (String command : List.of("insert", "update", "create", "createIndexes", "drop", "find")) {
      for (int nth = 1; nth <= 6; nth++) {
        client.getDatabase(DRILL).drop();
        RestoreHarness restore = harness(target());
        restore.stage();
        AtomicInteger left = new AtomicInteger(nth);
        int bytes = nth % 2 == 0 ? 0 : 7;
        sim.faults()
            .before(
                command,
                c -> {
                  if (left.decrementAndGet() == 0) {
                    sim.faults().dropConnection(command, 2, bytes);
                  }
                });
        restore.publish();
        sim.faults().clear();
        assertEquals(original, tallies(DRILL), command + " " + nth);
        assertEquals(List.of(), restore.findings(), command + " " + nth);
      }
    }
  }

  @Test
  void an_election_in_the_middle_is_waited_for() throws Exception {
    AtomicInteger inserts = new AtomicInteger();
    sim.faults()
        .before(
            "insert",
            c -> {
              if (inserts.incrementAndGet() == 3) {
                sim.stepDown();
              }
            });
    harness(target()).restore();
    sim.faults().clear();
    assertEquals(original, tallies(DRILL));
  }

  @Test
  void an_order_that_means_something_is_kept_although_answers_are_lost() throws Exception {
    sim.faults().dropConnection("insert " + DRILL + ".log", 2, 0);
    harness(target()).restore();
    sim.faults().clear();
    assertEquals(order(DB), order(DRILL));
  }

  @Test
  void a_process_that_is_gone_without_a_word_is_gone_on_with() throws Exception {
    Path archive = directory.resolve("it.archive");
    Files.write(archive, captured.bytes(DB + ".archive"));
    for (int insert : new int[] {1, 3}) {
      client.getDatabase(DRILL).drop();
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  JavaClassPath.ofTests(),
                  HaltingRestore.class.getName(),
                  sim.connectionString(),
                  DRILL,
                  archive.toString(),
                  Integer.toString(insert))
              .redirectErrorStream(true)
              .redirectOutput(directory.resolve("printed").toFile())
              .start();
      assertTrue(process.waitFor(2, TimeUnit.MINUTES), this::printed);
      assertEquals(HaltingRestore.GONE, process.exitValue(), this::printed);
      RestoreHarness again =
          RestoreHarness.of(
              new ParallelTarget(target(), threads),
              CaptureHarness.of(MongoArchiveSource.of(archive)).capture());
      assertEquals(TargetState.Occupancy.UNFINISHED_RESTORE, again.plan().state().occupancy());
      again.restore();
      assertEquals(original, tallies(DRILL));
      assertEquals(
          List.of(MongoFailure.RESTORE_RESUMED),
          again.findings().stream().map(Finding::code).toList());
    }
  }

  private String printed() {
    try {
      return Files.readString(directory.resolve("printed"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Test
  void a_restore_of_something_else_does_not_go_on_with_what_was_left() throws Exception {
    RestoreHarness killed = harness(target());
    assertTrue(publishUntil(20, killed));
    client.getDatabase(DB).getCollection("keys").insertOne(new Document("_id", "more"));
    Captured other = CaptureHarness.of(MongoSource.database(client, DB)).capture();
    RestoreHarness refused = RestoreHarness.of(target(), other);
    assertFalse(refused.plan().isPossible());
    assertThrows(BackupException.Target.class, refused::publish);
    RestoreHarness.of(target().existing(Existing.REPLACE), other).restore();
    assertEquals(tallies(DB), tallies(DRILL));
  }

  @Test
  void a_collection_that_is_created_while_shadows_move_in_is_not_overwritten() throws Exception {
    client.getDatabase(DRILL).getCollection("keys").insertOne(new Document("_id", "old"));
    AtomicInteger renames = new AtomicInteger();
    sim.faults()
        .before(
            "listCollections",
            c -> {
              boolean isOut =
                  renames.get() > 0
                      && client.getDatabase(DRILL).getCollection("keys").countDocuments() == 0;
              if (isOut) {
                client.getDatabase(DRILL).getCollection("keys").insertOne(new Document("_id", "x"));
              }
            });
    sim.faults().before("renameCollection", c -> renames.incrementAndGet());
    RestoreHarness restore = harness(target().existing(Existing.SHADOW));
    restore.stage();
    var e = assertThrows(BackupException.Target.class, restore::publish);
    assertTrue(e.getMessage().contains("somebody created drill.keys"), e.getMessage());
    sim.faults().clear();
    restore.rollBack();
    assertTrue(restore.findings().stream().anyMatch(f -> f.code() == MongoFailure.NOT_TAKEN_BACK));
    assertEquals(
        new Document("_id", "x"), client.getDatabase(DRILL).getCollection("keys").find().first());
    assertTrue(tallies(DRILL).containsKey("stella.before.test-restore.keys"));
  }

  @Test
  void nothing_is_restored_beside_what_is_live_behind_a_router() throws Exception {
    try (MongodSim router = MongodSim.builder().router().start()) {
      var planned =
          RestoreHarness.of(
                  MongoTarget.into(router.client(), DRILL).existing(Existing.SHADOW), captured)
              .plan();
      assertEquals(
          List.of(MongoFailure.NOT_RESTORABLE),
          planned.blockers().stream().map(Finding::code).toList());
    }
  }

  private MongoTarget target() {
    return MongoTarget.into(client, DRILL).pace(SMALL);
  }

  /** A target of its own: what one has restored it does not restore again. */
  private RestoreHarness harness(MongoTarget target) {
    return RestoreHarness.of(new ParallelTarget(target.parallelism(4), threads), captured);
  }

  private List<Object> order(String database) {
    List<Object> ids = new ArrayList<>();
    client.getDatabase(database).getCollection("log").find().forEach(d -> ids.add(d.get("_id")));
    return ids;
  }

  private Map<String, BsonDocument> indexes(String database) {
    Map<String, BsonDocument> indexes = new TreeMap<>();
    for (String name : List.of("keys", "log", "people")) {
      client
          .getDatabase(database)
          .getCollection(name)
          .listIndexes(BsonDocument.class)
          .forEach(i -> indexes.put(name + i.getString("name").getValue(), i));
    }
    return indexes;
  }

  /** Without the checksum that depends on the order, which batches side by side do not keep. */
  private Map<String, Tally> tallies(String database) throws IOException {
    Map<String, Tally> tallies = SampleData.tallies(client, database);
    tallies.replaceAll((name, t) -> new Tally(t.documents(), t.bytes(), 0, t.content()));
    return tallies;
  }

  private static void run(MongoDatabase database, String command) {
    database.runCommand(BsonDocument.parse(command));
  }
}
