package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.CreateCollectionOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.bson.Document;
import org.bson.RawBsonDocument;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.fixture.MongodSim;
import org.stellaops.backup.mongo.internal.archive.CaptureMeta;
import org.stellaops.backup.mongo.internal.oplog.Definitions;
import org.stellaops.backup.mongo.internal.oplog.OplogReplay;
import org.stellaops.backup.mongo.internal.oplog.OplogSelection;
import org.stellaops.backup.mongo.internal.oplog.ReplaySettings;
import org.stellaops.backup.mongo.internal.oplog.ReplayTarget;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;

/** Each level of consistency, on a simulated server that is written to while it is captured. */
class ConsistencyIT {
  private static final String DB = Orders.DB;

  private final ExecutorService threads = Executors.newFixedThreadPool(4);

  @AfterEach
  void stop() {
    threads.shutdown();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_snapshot_has_no_orphans(boolean isAtomic) throws Exception {
    requireNoOrphansInSnapshots(3, isAtomic);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @Tag("soak")
  void fifty_snapshots_have_no_orphans(boolean isAtomic) throws Exception {
    requireNoOrphansInSnapshots(50, isAtomic);
  }

  private void requireNoOrphansInSnapshots(int runs, boolean isAtomic) throws Exception {
    try (MongodSim sim = MongodSim.replicaSet()) {
      Orders orders = new Orders(sim.client());
      orders.fill(200);
      for (int run = 0; run < runs; run++) {
        writeWhileReading(sim, orders, isAtomic);
        int before = orders.written();
        Captured captured = capture(source(sim).require(Consistency.SNAPSHOT));
        assertEquals("SNAPSHOT", captured.source().properties().get("consistency"));
        Map<String, List<RawBsonDocument>> documents = ArchivedDocuments.of(captured, DB);
        assertEquals(List.of(), Orders.orphans(documents, isAtomic), "run " + run);
        assertTrue(orders.written() > before, "nobody wrote");
        assertEquals(List.of(), captured.findings());
        assertEquals(0, sim.openCursors());
        sim.faults().clear();
        requireCountsOfItsTime(sim, captured);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_fenced_capture_has_no_orphans_when_its_oplog_is_replayed(boolean isAtomic)
      throws Exception {
    requireNoOrphansBehindFences(2, isAtomic);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @Tag("soak")
  void fifty_fenced_captures_have_no_orphans(boolean isAtomic) throws Exception {
    requireNoOrphansBehindFences(50, isAtomic);
  }

  private void requireNoOrphansBehindFences(int runs, boolean isAtomic) throws Exception {
    try (MongodSim sim = MongodSim.builder().version("4.4.29").start();
        MongodSim other = MongodSim.replicaSet()) {
      Orders orders = new Orders(sim.client());
      orders.fill(100);
      for (int run = 0; run < runs; run++) {
        int before = orders.written();
        writeWhileReading(sim, orders, isAtomic);
        Captured captured = capture(source(sim));
        sim.faults().clear();
        assertTrue(orders.written() > before, "nobody wrote");
        assertEquals("OPLOG_FENCED", captured.source().properties().get("consistency"));
        assertEquals(List.of(), captured.findings());
        Map<String, List<RawBsonDocument>> restored = restore(other, captured);
        assertEquals(List.of(), Orders.orphans(restored, true), "run " + run);
        assertEquals(orders.written(), restored.get("issuers").size());
        assertEquals(0, sim.openCursors());
      }
    }
  }

  /** Documents as they were read, and then what was written meanwhile. */
  private static Map<String, List<RawBsonDocument>> restore(MongodSim into, Captured captured)
      throws IOException {
    into.client().getDatabase(DB).drop();
    Map<String, List<RawBsonDocument>> documents = ArchivedDocuments.of(captured, DB);
    List<RawBsonDocument> entries = documents.remove("oplog");
    MongoDatabase database = into.client().getDatabase(DB);
    documents.forEach(
        (name, all) -> database.getCollection(name, RawBsonDocument.class).insertMany(all));
    CaptureMeta meta = ArchivedDocuments.meta(captured);
    assertEquals(entries.size(), meta.oplog().documents());
    OplogReplay replay =
        new OplogReplay(
            into.client(),
            new Definitions(),
            ReplaySettings.of(OplogSelection.databases(Set.of(DB)), ReplayTarget.latest())
                .tolerantUntil(meta.moment().end()));
    for (RawBsonDocument entry : entries) {
      byte[] bytes = entry.getByteBuffer().asNIO().array();
      replay.document(bytes, 0, bytes.length);
    }
    replay.finish();
    documents.replaceAll(
        (name, all) ->
            database.getCollection(name, RawBsonDocument.class).find().into(new ArrayList<>()));
    return documents;
  }

  @Test
  void a_stream_of_the_oplog_leads_on_from_a_snapshot_and_from_a_fence() throws Exception {
    for (String version : List.of("7.0.14", "4.4.29")) {
      try (MongodSim sim = MongodSim.builder().version(version).start()) {
        new Orders(sim.client()).fill(10);
        Captured captured = capture(source(sim));
        CaptureSpan span = captured.source().header().span().orElseThrow();
        CaptureMeta meta = ArchivedDocuments.meta(captured);
        assertEquals(meta.moment().start().getValue(), span.start().offset());
        assertEquals(meta.moment().end().getValue(), span.end().offset());
        assertTrue(span.end().lineage().startsWith("rs0"), span.toString());
        assertEquals(sim.clusterTime(), meta.moment().end());
      }
    }
  }

  @Test
  void an_oplog_that_is_not_permitted_gives_way_with_the_privilege_in_the_finding()
      throws Exception {
    try (MongodSim sim =
        MongodSim.builder().version("4.4.29").denying("find config.transactions").start()) {
      new Orders(sim.client()).fill(3);
      Captured captured = capture(source(sim));
      assertEquals("NONE", captured.source().properties().get("consistency"));
      assertTrue(
          captured.findings().get(0).toString().contains("find on config.transactions"),
          captured.findings().toString());
    }
  }

  @Test
  void an_oplog_that_rolls_over_is_no_fence() {
    try (MongodSim sim = MongodSim.builder().version("4.4.29").start()) {
      Orders orders = new Orders(sim.client());
      orders.fill(3);
      sim.faults()
          .before(
              "find " + DB,
              c -> {
                orders.writeInOrder();
                sim.rollOver(sim.clusterTime());
              });
      var e =
          assertThrows(
              BackupException.Source.class,
              () -> capture(source(sim).require(Consistency.OPLOG_FENCED)));
      assertEquals(MongoFailure.CONSISTENCY_NOT_REACHED, e.code());
      assertTrue(e.getMessage().contains("the oplog is needed from"), e.getMessage());
    }
  }

  /** One order before every reply. */
  private static void writeWhileReading(MongodSim sim, Orders orders, boolean isAtomic) {
    for (String command : List.of("find " + DB, "getMore " + DB)) {
      sim.faults()
          .before(
              command,
              c -> {
                if (isAtomic) {
                  orders.writeTogether();
                } else {
                  orders.writeInOrder();
                }
              });
    }
  }

  private static void requireCountsOfItsTime(MongodSim sim, Captured captured) throws IOException {
    CaptureMeta meta = ArchivedDocuments.meta(captured);
    for (CaptureMeta.Item item : meta.collections()) {
      BsonDocument find =
          new BsonDocument("find", new BsonString(item.spec().name()))
              .append("batchSize", new BsonInt32(1_000_000))
              .append(
                  "readConcern",
                  new BsonDocument("level", new BsonString("snapshot"))
                      .append("atClusterTime", meta.moment().end()));
      BsonDocument reply = sim.client().getDatabase(DB).runCommand(find, BsonDocument.class);
      assertEquals(
          reply.getDocument("cursor").getArray("firstBatch").size(), item.tally().documents());
    }
  }

  @Test
  void without_anything_that_holds_it_together_a_copy_is_torn_and_says_so() throws Exception {
    try (MongodSim sim = MongodSim.builder().standalone().start()) {
      Orders orders = new Orders(sim.client());
      orders.fill(200);
      writeWhileReading(sim, orders, false);
      Captured captured = capture(source(sim).parallelism(1));
      assertEquals("NONE", captured.source().properties().get("consistency"));
      assertFalse(Orders.orphans(ArchivedDocuments.of(captured, DB), true).isEmpty());
      assertTrue(codes(captured).contains(MongoFailure.NOTHING_HELD_TOGETHER));
      assertTrue(codes(captured).contains(MongoFailure.CHANGED_DURING_CAPTURE));
    }
  }

  @Test
  void what_was_accepted_is_no_warning() throws Exception {
    try (MongodSim sim = MongodSim.builder().standalone().start()) {
      new Orders(sim.client()).fill(3);
      Captured captured = capture(source(sim).require(Consistency.NONE));
      assertEquals(List.of(MongoFailure.NOT_CONSISTENT), codes(captured));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"SNAPSHOT", "OPLOG_FENCED", "FSYNC_LOCKED", "QUIESCED"})
  void what_a_standalone_server_cannot_is_refused_before_anything_is_read(String level) {
    try (MongodSim sim = MongodSim.builder().standalone().start()) {
      new Orders(sim.client()).fill(3);
      AtomicInteger reads = new AtomicInteger();
      sim.faults().before("find " + DB, c -> reads.incrementAndGet());
      MongoSource source = source(sim).require(Consistency.valueOf(level));
      var e = assertThrows(BackupException.Source.class, () -> capture(source));
      assertEquals(MongoFailure.CONSISTENCY_NOT_REACHED, e.code());
      assertTrue(
          e.getMessage().contains("SNAPSHOT needs a replica set, this is STANDALONE"),
          e.getMessage());
      assertEquals(0, reads.get());
    }
  }

  @Test
  void a_snapshot_of_a_server_before_5_is_refused() {
    try (MongodSim sim = MongodSim.builder().version("4.4.29").start()) {
      new Orders(sim.client()).fill(3);
      var e =
          assertThrows(
              BackupException.Source.class,
              () -> capture(source(sim).require(Consistency.SNAPSHOT)));
      assertTrue(
          e.getMessage().contains("SNAPSHOT needs version 5.0, this is 4.4.29"), e.getMessage());
    }
  }

  @Test
  void a_snapshot_that_is_too_old_gives_way_to_the_next_level_and_a_finding() throws Exception {
    try (MongodSim sim = MongodSim.replicaSet()) {
      new Orders(sim.client()).fill(50);
      expireBeforeReading(sim);
      Captured captured = capture(source(sim));
      assertFalse(captured.source().properties().get("consistency").equals("SNAPSHOT"));
      assertTrue(
          codes(captured).contains(MongoFailure.LESS_CONSISTENT), captured.findings().toString());
      assertTrue(
          captured.findings().toString().contains("SnapshotTooOld"),
          captured.findings().toString());
    }
  }

  @Test
  void a_snapshot_that_is_too_old_and_required_is_no_capture() {
    try (MongodSim sim = MongodSim.replicaSet()) {
      new Orders(sim.client()).fill(50);
      expireBeforeReading(sim);
      var e =
          assertThrows(
              BackupException.Source.class,
              () -> capture(source(sim).require(Consistency.SNAPSHOT)));
      assertEquals(MongoFailure.CONSISTENCY_NOT_REACHED, e.code());
      assertTrue(e.getMessage().contains("SnapshotTooOld"), e.getMessage());
    }
  }

  private static void expireBeforeReading(MongodSim sim) {
    sim.faults()
        .before(
            "find " + DB,
            c -> {
              sim.noop();
              sim.expireSnapshots();
            });
  }

  @Test
  void a_collection_that_comes_while_it_is_read_makes_another_pass() throws Exception {
    try (MongodSim sim = MongodSim.replicaSet()) {
      new Orders(sim.client()).fill(50);
      AtomicBoolean isDone = new AtomicBoolean();
      sim.faults()
          .before(
              "find " + DB + ".issuers",
              c -> {
                if (!isDone.getAndSet(true)) {
                  database(sim).createCollection("late");
                }
              });
      Captured captured = capture(source(sim).require(Consistency.SNAPSHOT));
      assertTrue(ArchivedDocuments.of(captured, DB).containsKey("late"));
      assertEquals(List.of(), captured.findings());
    }
  }

  @Test
  void collections_that_always_move_are_no_snapshot() {
    try (MongodSim sim = MongodSim.replicaSet()) {
      new Orders(sim.client()).fill(5);
      AtomicInteger passes = new AtomicInteger();
      sim.faults()
          .before(
              "find " + DB + ".issuers",
              c -> database(sim).createCollection("late" + passes.incrementAndGet()));
      var e =
          assertThrows(
              BackupException.Source.class,
              () -> capture(source(sim).require(Consistency.SNAPSHOT)));
      assertTrue(e.getMessage().contains("late3 was created"), e.getMessage());
      assertEquals(3, passes.get());
    }
  }

  @Test
  void a_capped_collection_stands_apart_from_a_snapshot_and_is_named() throws Exception {
    try (MongodSim sim = MongodSim.replicaSet()) {
      new Orders(sim.client()).fill(5);
      createCapped(sim);
      Captured captured = capture(source(sim));
      assertEquals(List.of(MongoFailure.OUTSIDE_THE_SNAPSHOT), codes(captured));
      assertEquals(List.of("events"), ArchivedDocuments.meta(captured).moment().apart());
      assertEquals(20, ArchivedDocuments.of(captured, DB).get("events").size());
      var e =
          assertThrows(
              BackupException.Source.class,
              () -> capture(source(sim).require(Consistency.SNAPSHOT)));
      assertTrue(e.getMessage().contains("capped collections, there are events"), e.getMessage());
    }
  }

  private static void createCapped(MongodSim sim) {
    database(sim)
        .createCollection(
            "events", new CreateCollectionOptions().capped(true).sizeInBytes(100_000));
    for (int i = 0; i < 20; i++) {
      database(sim).getCollection("events").insertOne(new Document("_id", i));
    }
  }

  @Test
  void a_quiesce_hook_is_asked_where_the_server_offers_nothing_and_always_closed()
      throws Exception {
    try (MongodSim sim = MongodSim.builder().standalone().start()) {
      Orders orders = new Orders(sim.client());
      orders.fill(50);
      List<String> calls = new ArrayList<>();
      AtomicBoolean isPaused = new AtomicBoolean();
      sim.faults()
          .before(
              "find " + DB,
              c -> {
                if (!isPaused.get()) {
                  orders.writeInOrder();
                }
              });
      MongoSource source =
          source(sim)
              .require(Consistency.QUIESCED)
              .quiesce(
                  () -> {
                    calls.add("paused");
                    isPaused.set(true);
                    return () -> {
                      calls.add("resumed");
                      isPaused.set(false);
                    };
                  });
      Captured captured = capture(source);
      assertEquals("QUIESCED", captured.source().properties().get("consistency"));
      assertEquals(List.of("paused", "resumed"), calls);
      assertEquals(List.of(), Orders.orphans(ArchivedDocuments.of(captured, DB), false));
      assertEquals(List.of(), captured.findings());
      sim.faults().fail("find " + DB, 1, 8000, "Broken", "broken");
      assertThrows(BackupException.Source.class, () -> capture(source));
      assertEquals(List.of("paused", "resumed", "paused", "resumed"), calls);
    }
  }

  @Test
  void an_application_that_does_not_resume_is_a_finding() throws Exception {
    try (MongodSim sim = MongodSim.builder().standalone().start()) {
      new Orders(sim.client()).fill(5);
      Captured captured =
          capture(
              source(sim)
                  .quiesce(
                      () ->
                          () -> {
                            throw new IOException("still asleep");
                          }));
      assertEquals(List.of(MongoFailure.NOT_RESUMED), codes(captured));
    }
  }

  @Test
  void a_writer_that_the_hook_did_not_pause_is_no_quiesced_capture() {
    try (MongodSim sim = MongodSim.builder().standalone().start()) {
      Orders orders = new Orders(sim.client());
      orders.fill(5);
      writeWhileReading(sim, orders, false);
      var e =
          assertThrows(
              BackupException.Source.class,
              () -> capture(source(sim).quiesce(() -> () -> {}).require(Consistency.QUIESCED)));
      assertTrue(e.getMessage().contains("somebody wrote all the same"), e.getMessage());
    }
  }

  @Test
  void a_locked_server_is_unlocked_whatever_happens() throws Exception {
    try (MongodSim sim = MongodSim.builder().standalone().start()) {
      new Orders(sim.client()).fill(50);
      List<Integer> locks = new ArrayList<>();
      sim.faults().before("find " + DB, c -> locks.add(sim.fsyncLocks()));
      MongoSource source =
          source(sim)
              .parallelism(1)
              .fsyncLock(Duration.ofMinutes(5))
              .require(Consistency.FSYNC_LOCKED);
      Captured captured = capture(source);
      assertEquals("FSYNC_LOCKED", captured.source().properties().get("consistency"));
      assertEquals(List.of(1, 1, 1), locks);
      assertEquals(0, sim.fsyncLocks());
      assertEquals(List.of(MongoFailure.WRITES_LOCKED), codes(captured));
      sim.faults().fail("find " + DB, 1, 8000, "Broken", "broken");
      assertThrows(BackupException.Source.class, () -> capture(source));
      assertEquals(0, sim.fsyncLocks());
    }
  }

  @Test
  void a_lock_that_takes_too_long_is_given_up_and_not_claimed() {
    try (MongodSim sim = MongodSim.builder().standalone().start()) {
      new Orders(sim.client()).fill(5);
      sim.faults()
          .before(
              "find " + DB,
              c -> {
                while (sim.fsyncLocks() > 0) {
                  Thread.onSpinWait();
                }
              });
      var e =
          assertThrows(
              BackupException.Source.class,
              () ->
                  capture(
                      source(sim)
                          .fsyncLock(Duration.ofMillis(100))
                          .require(Consistency.FSYNC_LOCKED)));
      assertTrue(e.getMessage().contains("the lock was given up"), e.getMessage());
    }
  }

  @Test
  void a_lock_whose_answer_is_lost_is_no_capture_and_says_how_to_unlock() {
    try (MongodSim sim = MongodSim.builder().standalone().start()) {
      new Orders(sim.client()).fill(5);
      sim.faults().dropConnection("fsync", 2, 0);
      var e =
          assertThrows(
              BackupException.Source.class,
              () -> capture(source(sim).fsyncLock(Duration.ofMinutes(1))));
      assertEquals(MongoFailure.STILL_LOCKED, e.code());
      assertTrue(e.getMessage().contains("db.fsyncUnlock()"), e.getMessage());
      assertTrue(sim.fsyncLocks() > 0, "the server did lock");
    }
  }

  @Test
  void a_lock_that_is_not_permitted_names_the_privilege() {
    try (MongodSim sim = MongodSim.builder().standalone().denying("fsync").start()) {
      new Orders(sim.client()).fill(5);
      var e =
          assertThrows(
              BackupException.Source.class,
              () ->
                  capture(
                      source(sim)
                          .fsyncLock(Duration.ofMinutes(1))
                          .require(Consistency.FSYNC_LOCKED)));
      assertTrue(e.getMessage().contains("missing privilege: fsync on cluster"), e.getMessage());
    }
  }

  private Captured capture(MongoSource source) throws IOException {
    return CaptureHarness.of(source).executor(threads).capture();
  }

  /** Small replies, so that there are many. */
  private static MongoSource source(MongodSim sim) {
    return MongoSource.database(sim.client(), DB).sized(2_000, Long.MAX_VALUE).parallelism(3);
  }

  private static MongoDatabase database(MongodSim sim) {
    return sim.client().getDatabase(DB);
  }

  private static List<?> codes(Captured captured) {
    return captured.findings().stream().map(Finding::code).toList();
  }
}
