package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.MongoNamespace;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.Filters;
import com.mongodb.client.model.IndexOptions;
import com.mongodb.client.model.ReplaceOptions;
import com.mongodb.client.model.Updates;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.bson.BsonDocument;
import org.bson.Document;
import org.bson.RawBsonDocument;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoTarget.DropPolicy;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.fixture.MongodSim;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;
import org.stellaops.backup.testkit.RestorePlanned;

/** A capture that was read while it changed is restored to what the database was at its end. */
class MongoReplayIT {
  private static final String DB = Orders.DB;
  private static final String COPY = "copy";

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final MongodSim other = MongodSim.replicaSet();
  private MongodSim sim;

  @AfterEach
  void stop() {
    threads.shutdownNow();
    other.close();
    if (sim != null) {
      sim.close();
    }
  }

  /** How a server writes transactions. */
  enum Entries {
    WHOLE,
    SPLIT,
    PREPARED;

    MongodSim.Builder builder() {
      MongodSim.Builder builder = MongodSim.builder();
      return switch (this) {
        case WHOLE -> builder;
        case SPLIT -> builder.splitTransactions(1);
        case PREPARED -> builder.splitTransactions(2).preparedTransactions();
      };
    }
  }

  @ParameterizedTest
  @CsvSource({"WHOLE,REFUSE", "SPLIT,SHADOW", "PREPARED,REPLACE"})
  void what_is_restored_is_a_snapshot_read_at_the_end(Entries entries, Existing existing)
      throws Exception {
    for (int seed = 0; seed < 3; seed++) {
      use(entries.builder().start());
      Random random = new Random(seed);
      Orders orders = new Orders(sim.client());
      orders.fill(60);
      AtomicInteger step = new AtomicInteger();
      onEveryRead(
          c -> {
            orders.writeTogether();
            orders.writeInOrder();
            change(random, step.incrementAndGet());
          });
      Captured captured = fenced();
      sim.faults().clear();
      orders.writeTogether();

      other.client().getDatabase(COPY).drop();
      if (existing != Existing.REFUSE) {
        database(other, COPY).getCollection("issuers").insertOne(new Document("_id", "old"));
        database(other, COPY).getCollection("stays").insertOne(new Document("_id", "old"));
      }
      RestoreHarness harness =
          restore(target().existing(existing).dropping(DropPolicy.DATABASE), captured);

      Map<String, List<String>> expected =
          DatabaseState.at(sim.client(), DB, ArchivedDocuments.meta(captured).moment().end());
      requireSame(expected, DatabaseState.now(other.client(), COPY), "seed " + seed);
      assertEquals(
          List.of(MongoFailure.OPLOG_REPLAYED),
          harness.findings().stream().map(Finding::code).toList());
      assertTrue(step.get() > 3, step + " changes");
      assertEquals(List.of(), orphans(COPY));
    }
  }

  /** As an application does, and now and then as an administrator. */
  private void change(Random random, int step) {
    MongoDatabase database = database(sim, DB);
    MongoCollection<Document> issuers = database.getCollection("issuers");
    int id = 1 + random.nextInt(60);
    issuers.updateOne(
        Filters.eq(id), Updates.combine(Updates.inc("n", 1), Updates.set("l", List.of(id, step))));
    issuers.replaceOne(
        Filters.eq("r" + id),
        new Document("_id", "r" + id).append("x", step),
        new ReplaceOptions().upsert(true));
    issuers.deleteOne(Filters.eq("r" + random.nextInt(60)));
    switch (step) {
      case 1 -> {
        database.createCollection("late");
        database.getCollection("late").insertOne(new Document("_id", 1));
      }
      case 2 -> database.getCollection("late").createIndex(new Document("a", 1));
      case 3 -> {
        database.getCollection("scratch").insertOne(new Document("_id", 1));
        database.getCollection("scratch").renameCollection(new MongoNamespace(DB, "named"));
      }
      case 4 -> database.getCollection("named").drop();
      default -> changeIndexes(database, step);
    }
  }

  private static void changeIndexes(MongoDatabase database, int step) {
    MongoCollection<Document> keys = database.getCollection("issuer_keys");
    if (step % 5 == 0) {
      keys.createIndex(new Document("f" + step, 1), new IndexOptions().sparse(true));
    } else if (step % 10 == 6) {
      keys.dropIndex("f" + (step - 1) + "_1");
    }
  }

  private List<String> orphans(String name) {
    Map<String, List<RawBsonDocument>> documents = new HashMap<>();
    for (String collection : List.of("issuers", "issuer_keys", "issuer_audit")) {
      documents.put(
          collection,
          database(other, name)
              .getCollection(collection, RawBsonDocument.class)
              .find(Filters.or(Filters.type("_id", "int"), Filters.exists("issuer")))
              .into(new ArrayList<>()));
    }
    return Orders.orphans(documents, true);
  }

  @ParameterizedTest
  @EnumSource(Entries.class)
  void nobody_is_torn_from_another_while_writers_run(Entries entries) throws Exception {
    use(entries.builder().version("4.4.29").start());
    Orders orders = new Orders(sim.client());
    orders.fill(200);
    for (int run = 0; run < 3; run++) {
      onEveryRead(c -> orders.writeTogether());
      Captured captured = capture();
      sim.faults().clear();
      assertEquals("OPLOG_FENCED", captured.source().properties().get("consistency"));
      other.client().getDatabase(COPY).drop();
      restore(target(), captured);
      assertEquals(List.of(), orphans(COPY), "run " + run);
      assertEquals(
          orders.written(), database(other, COPY).getCollection("issuers").countDocuments());
    }
  }

  @Test
  void a_unique_value_that_moved_from_one_document_to_another_is_no_conflict() throws Exception {
    use(MongodSim.builder().version("4.4.29").start());
    MongoCollection<Document> issuers = database(sim, DB).getCollection("issuers");
    issuers.createIndex(new Document("name", 1), new IndexOptions().unique(true));
    for (int i = 0; i < 200; i++) {
      issuers.insertOne(new Document("_id", i).append("name", "n" + i));
    }
    AtomicInteger turn = new AtomicInteger();
    onEveryRead(
        c -> {
          int n = turn.getAndIncrement();
          if (n > 0) {
            issuers.updateOne(Filters.eq(0), Updates.set("name", "moved" + n));
            issuers.updateOne(Filters.eq(199), Updates.set("name", n == 1 ? "n0" : "m" + n));
          }
        });
    Captured captured = capture();
    sim.faults().clear();
    restore(target(), captured);
    assertEquals(DatabaseState.now(sim.client(), DB), DatabaseState.now(other.client(), COPY));
  }

  @Test
  void a_document_that_is_deleted_and_comes_again_is_in_the_archive_once() throws Exception {
    use(MongodSim.builder().version("4.4.29").start());
    MongoCollection<Document> issuers = database(sim, DB).getCollection("issuers");
    for (int i = 0; i < 300; i++) {
      issuers.insertOne(new Document("_id", i).append("name", "some name of " + i));
    }
    onEveryRead(
        c -> {
          issuers.deleteOne(Filters.eq(0));
          issuers.insertOne(new Document("_id", 0).append("name", "again"));
        });
    Captured captured = capture();
    sim.faults().clear();
    restore(target(), captured);
    assertEquals(DatabaseState.now(sim.client(), DB), DatabaseState.now(other.client(), COPY));
  }

  @Test
  void collections_are_replayed_under_the_names_that_they_are_restored_to() throws Exception {
    use(MongodSim.builder().version("4.4.29").start());
    Orders orders = new Orders(sim.client());
    orders.fill(50);
    onEveryRead(c -> orders.writeTogether());
    Captured captured = capture();
    sim.faults().clear();
    restore(target().rename(DB + ".issuer_*", COPY + ".drill_*").exclude("issuer_audit"), captured);
    assertEquals(
        List.of("drill_keys", "issuers"),
        database(other, COPY).listCollectionNames().into(new ArrayList<>()).stream()
            .sorted()
            .toList());
    assertEquals(
        2L * orders.written(), database(other, COPY).getCollection("drill_keys").countDocuments());
  }

  @Test
  @Tag("interop")
  void mongorestore_replays_the_oplog_that_we_captured(@TempDir Path directory) throws Exception {
    use(MongodSim.builder().version("4.4.29").start());
    Orders orders = new Orders(sim.client());
    orders.fill(50);
    onEveryRead(c -> orders.writeInOrder());
    Captured captured = capture();
    sim.faults().clear();
    Path archive = directory.resolve("ours.archive");
    Files.write(archive, captured.bytes(DB + ".archive"));
    String printed =
        Program.run(
            directory,
            "mongorestore",
            "--uri=" + other.connectionString(),
            "--archive=" + archive,
            "--oplogReplay",
            "--stopOnError");
    requireSame(
        DatabaseState.now(sim.client(), DB), DatabaseState.now(other.client(), DB), printed);
  }

  @Test
  void the_plan_says_what_is_replayed_and_what_stands_in_its_way() throws Exception {
    use(MongodSim.builder().version("4.4.29").start());
    new Orders(sim.client()).fill(3);
    Captured captured = capture();
    RestorePlanned planned = harness(target(), captured).plan();
    assertTrue(planned.isPossible(), planned.toString());
    String steps = planned.steps().toString();
    assertTrue(steps.contains("replay the oplog that the capture brings along, up to"), steps);
    assertTrue(steps.contains("indexes and views, as they are after the replay"), steps);

    database(other, COPY).getCollection("foreign").insertOne(new Document("_id", 1));
    for (Existing existing : List.of(Existing.MERGE, Existing.REPLACE)) {
      RestorePlanned blocked = harness(target().existing(existing), captured).plan();
      assertEquals(
          List.of(MongoFailure.REPLAY_NEEDS_ROOM),
          blocked.blockers().stream().map(Finding::code).toList(),
          existing.name());
      RestoreHarness forced = harness(target().existing(existing), captured);
      BackupException e = assertThrows(BackupException.class, forced::publish);
      assertEquals(MongoFailure.REPLAY_NEEDS_ROOM, e.code());
    }
    assertEquals(
        List.of("foreign"), database(other, COPY).listCollectionNames().into(new ArrayList<>()));
  }

  @ParameterizedTest
  @EnumSource(
      value = Existing.class,
      names = {"REFUSE", "SHADOW"})
  void a_replay_that_is_killed_before_any_of_its_commands_is_finished_by_the_next(Existing existing)
      throws Exception {
    Captured captured = changing();
    Map<String, List<String>> expected = DatabaseState.now(sim.client(), DB);
    int kills = 0;
    for (int point = 1; ; point++) {
      other.client().getDatabase(COPY).drop();
      MongoTarget target = target().existing(existing);
      if (!publishUntil(point, harness(target, captured))) {
        assertTrue(kills > 30, kills + " commands");
        return;
      }
      kills++;
      harness(target, captured).publish();
      requireSame(expected, DatabaseState.now(other.client(), COPY), "killed at command " + point);
    }
  }

  @Test
  void a_replay_that_fails_before_any_of_its_commands_is_taken_back() throws Exception {
    Captured captured = changing();
    for (int point = 1; ; point++) {
      other.client().getDatabase(COPY).drop();
      database(other, COPY).getCollection("issuers").insertOne(new Document("_id", "old"));
      Map<String, List<String>> before = DatabaseState.now(other.client(), COPY);
      RestoreHarness harness = harness(target().existing(Existing.SHADOW), captured);
      if (!publishUntil(point, harness)) {
        return;
      }
      harness.rollBack();
      requireSame(before, DatabaseState.now(other.client(), COPY), "failed at " + point);
    }
  }

  /** Names what differs, and not everything. */
  private static void requireSame(
      Map<String, List<String>> expected, Map<String, List<String>> found, String when) {
    assertEquals(expected.keySet(), found.keySet(), when);
    expected.forEach(
        (name, lines) -> {
          List<String> more = new ArrayList<>(found.get(name));
          more.removeAll(lines);
          List<String> less = new ArrayList<>(lines);
          less.removeAll(found.get(name));
          assertEquals(List.of(), more, when + ": " + name + " without " + less);
          assertEquals(List.of(), less, when + ": " + name);
          assertEquals(lines, found.get(name), when + ": " + name);
        });
  }

  /** With a collection that comes and an index that goes while it is read. */
  private Captured changing() throws IOException {
    use(MongodSim.builder().version("4.4.29").splitTransactions(2).start());
    Orders orders = new Orders(sim.client());
    orders.fill(12);
    MongoDatabase database = database(sim, DB);
    database.getCollection("issuers").createIndex(new Document("name", 1));
    AtomicInteger step = new AtomicInteger();
    onEveryRead(
        c -> {
          orders.writeTogether();
          if (step.incrementAndGet() == 1) {
            database.createCollection("gone");
            database.getCollection("gone").insertOne(new Document("_id", 1));
            database.getCollection("gone").drop();
            database.getCollection("issuers").dropIndex("name_1");
            database.getCollection("issuer_keys").createIndex(new Document("issuer", 1));
          }
        });
    Captured captured = capture();
    sim.faults().clear();
    return captured;
  }

  /** Lets the nth command fail as if the process were gone; whether there was one. */
  private boolean publishUntil(int point, RestoreHarness harness) throws IOException {
    AtomicInteger left = new AtomicInteger(point);
    for (String command : KILLED) {
      other
          .faults()
          .before(
              command,
              c -> {
                if (left.decrementAndGet() == 0) {
                  for (String any : KILLED) {
                    other.faults().fail(any, 1_000, DEAD, "IllegalOperation", "gone");
                  }
                }
              });
    }
    try {
      harness.publish();
      return false;
    } catch (BackupException e) {
      return true;
    } finally {
      other.faults().clear();
    }
  }

  private static final int DEAD = 20;
  private static final List<String> KILLED =
      List.of(
          "insert",
          "update",
          "delete",
          "create",
          "createIndexes",
          "drop",
          "renameCollection",
          "find",
          "listCollections");

  private void use(MongodSim started) {
    if (sim != null) {
      sim.close();
    }
    sim = started;
  }

  /** Before every reply of documents of the database. */
  /** One at a time, whichever of the two commands comes. */
  private void onEveryRead(Consumer<BsonDocument> hook) {
    Object turn = new Object();
    for (String command : List.of("find " + DB, "getMore " + DB)) {
      sim.faults()
          .before(
              command,
              c -> {
                synchronized (turn) {
                  hook.accept(c);
                }
              });
    }
  }

  /** On a server that could do better, whose snapshots are gone when they are read. */
  private Captured fenced() throws IOException {
    sim.faults()
        .before(
            "find",
            c -> {
              if (c.containsKey("readConcern")
                  && c.getDocument("readConcern").containsKey("atClusterTime")) {
                sim.noop();
                sim.expireSnapshots();
              }
            });
    Captured captured = capture();
    assertEquals("OPLOG_FENCED", captured.source().properties().get("consistency"));
    return captured;
  }

  private Captured capture() throws IOException {
    return CaptureHarness.of(
            MongoSource.database(sim.client(), DB).sized(2_000, Long.MAX_VALUE).parallelism(3))
        .executor(threads)
        .capture();
  }

  private MongoTarget target() {
    return MongoTarget.into(other.client(), COPY);
  }

  private RestoreHarness harness(MongoTarget target, Captured captured) {
    return RestoreHarness.of(new ParallelTarget(target, threads), captured);
  }

  private RestoreHarness restore(MongoTarget target, Captured captured) throws IOException {
    RestoreHarness harness = harness(target, captured);
    harness.restore();
    assertFalse(
        database(other, COPY)
            .listCollectionNames()
            .into(new ArrayList<>())
            .contains(RestoreMarker.COLLECTION));
    return harness;
  }

  private static MongoDatabase database(MongodSim of, String name) {
    return of.client().getDatabase(name);
  }
}
