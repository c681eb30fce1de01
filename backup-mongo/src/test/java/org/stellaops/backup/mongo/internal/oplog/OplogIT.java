package org.stellaops.backup.mongo.internal.oplog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.MongoException;
import com.mongodb.MongoNamespace;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.model.CreateCollectionOptions;
import com.mongodb.client.model.Filters;
import com.mongodb.client.model.IndexOptions;
import com.mongodb.client.model.ReplaceOptions;
import com.mongodb.client.model.UpdateOptions;
import com.mongodb.client.model.Updates;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.bson.BsonDocument;
import org.bson.BsonTimestamp;
import org.bson.Document;
import org.bson.RawBsonDocument;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.MongoOplog;
import org.stellaops.backup.mongo.fixture.MongodSim;
import org.stellaops.backup.spi.RecordedStream;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.testkit.StreamHarness;

/** Following an oplog and replaying it, against the simulated replica set. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class OplogIT {
  private static final List<String> COLLECTIONS = List.of("issuers", "keys", "audit");

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private MongodSim sim;
  private StreamHarness harness;

  @BeforeEach
  void start() {
    use(MongodSim.replicaSet());
  }

  private void use(MongodSim other) {
    if (sim != null) {
      sim.close();
    }
    sim = other;
    harness =
        StreamHarness.of(
                MongoOplog.of(sim.client()).databases("shop").flushWithin(Duration.ofMillis(30)))
            .clock(InstantSource.system());
    for (String name : COLLECTIONS) {
      shop(name).insertOne(new Document("_id", "first"));
    }
  }

  @AfterEach
  void stop() {
    threads.shutdownNow();
    sim.close();
  }

  private MongoCollection<Document> shop(String name) {
    return sim.client().getDatabase("shop").getCollection(name);
  }

  /** Entries of the simulator's own oplog that concern the database, as bytes. */
  private List<RawDocument> written(BsonTimestamp from) {
    List<RawDocument> entries = new ArrayList<>();
    for (RawBsonDocument entry :
        sim.client()
            .getDatabase("local")
            .getCollection("oplog.rs", RawBsonDocument.class)
            .find(Filters.gte("ts", from))) {
      boolean isOurs =
          entry.getString("ns").getValue().startsWith("shop.")
              || entry.getDocument("o").containsKey("applyOps")
              || entry.getDocument("o").containsKey("commitTransaction");
      if (isOurs) {
        entries.add(RawDocument.of(entry).copied());
      }
    }
    return entries;
  }

  private List<RawDocument> recorded() throws IOException {
    List<RawDocument> entries = new ArrayList<>();
    reading().copyTo((b, o, l) -> entries.add(new RawDocument(b, o, l).copied()), () -> false);
    return entries;
  }

  /** All that leads on from the beginning of what is recorded. */
  private SliceReading reading() {
    Recorded stream = new Recorded(harness);
    BsonTimestamp begin =
        stream.coverage().slices().stream()
            .map(s -> OplogTimes.timestamp(s.from()))
            .min(BsonTimestamp::compareTo)
            .orElseThrow();
    return SliceReading.of(stream, new BsonTimestamp(begin.getValue() + 1));
  }

  private record Recorded(StreamHarness harness) implements RecordedStream {
    @Override
    public Coverage coverage() {
      return harness.coverage().orElseThrow();
    }

    @Override
    public Set<String> companions() {
      return Set.of();
    }

    @Override
    public InputStream open(SliceSpan slice) {
      return new ByteArrayInputStream(harness.bytes(slice));
    }

    @Override
    public InputStream openCompanion(String name) throws IOException {
      throw new IOException(name);
    }
  }

  /** Everything that was written since the recording began is there, and once. */
  private void requireWhole() throws IOException {
    List<RawDocument> recorded = recorded();
    assertTrue(
        OplogTimes.timestamp(reading().slices().get(0).from())
                .compareTo(recorded.get(0).get("ts").timestamp())
            < 0,
        "what stands where the recording begins is not a part of it");
    List<RawDocument> written = written(recorded.get(0).get("ts").timestamp());
    assertEquals(
        written.stream().map(OplogIT::place).toList(),
        recorded.stream().map(OplogIT::place).toList());
    assertEquals(written, recorded);
  }

  private static String place(RawDocument entry) {
    return OplogTimes.text(entry.get("ts").timestamp());
  }

  private void awaitDurable(BsonTimestamp ts, Future<?> following) throws Exception {
    await(() -> isDurable(ts), following);
  }

  private boolean isDurable(BsonTimestamp ts) {
    return harness
        .durable()
        .filter(d -> Long.compareUnsigned(d.offset(), ts.getValue()) >= 0)
        .isPresent();
  }

  /** Ends with the failure of what is waited for, too. */
  private static void await(BooleanSupplier condition, Future<?> following) throws Exception {
    while (!condition.getAsBoolean()) {
      if (following.isDone()) {
        following.get();
      }
      Thread.sleep(5); // looks at what another thread does; the test has a time limit
    }
  }

  /** Follows until what was written when this is called, or before, is durable. */
  private void followToNow() throws Exception {
    Future<?> following = following();
    shop("audit").insertOne(new Document("mark", true));
    awaitDurable(sim.clusterTime(), following);
    harness.stopping().stop();
    following.get();
  }

  private Future<?> following() {
    return threads.submit(
        () -> {
          harness.follow();
          return null;
        });
  }

  /** Changes all three collections, often in a transaction, so that they always fit. */
  private void write(Random random, int count) {
    for (int i = 0; i < count; i++) {
      writeOnce(random);
    }
  }

  private void writeOnce(Random random) {
    int id = random.nextInt(20);
    try {
      switch (random.nextInt(8)) {
        case 0 -> shop("issuers").deleteOne(Filters.eq("_id", id));
        case 1 -> shop("keys").replaceOne(Filters.eq("_id", id), new Document("v", id), UPSERT);
        case 2, 3 ->
            shop("issuers")
                .updateOne(
                    Filters.eq("_id", id),
                    Updates.combine(Updates.set("a.b", random.nextInt()), Updates.push("l", id)),
                    new UpdateOptions().upsert(true));
        case 4 -> sim.client().getDatabase("other").getCollection("x").insertOne(new Document());
        default -> transaction(random, id);
      }
    } catch (MongoException e) {
      // a step-down or a dropped connection: what was written stands in the oplog
    }
  }

  private static final ReplaceOptions UPSERT = new ReplaceOptions().upsert(true);

  private void transaction(Random random, int id) {
    try (ClientSession session = sim.client().startSession()) {
      session.startTransaction();
      String tag = "t" + random.nextLong();
      for (String name : COLLECTIONS) {
        shop(name).insertOne(session, new Document("_id", tag).append("n", id));
      }
      session.commitTransaction();
    }
  }

  @Test
  void what_was_written_is_recorded_byte_for_byte_once() throws Exception {
    followToNow();
    write(new Random(1), 200);
    followToNow();
    requireWhole();
    assertEquals(List.of(), harness.findings());
  }

  @Test
  void nothing_is_lost_or_doubled_through_step_downs_drops_and_killed_cursors() throws Exception {
    Future<?> following = following();
    Random random = new Random(7);
    for (int i = 0; i < 12; i++) {
      write(random, 25);
      switch (i % 3) {
        case 0 -> sim.stepDown();
        case 1 -> sim.faults().dropConnection("getMore local.oplog.rs", 1, random.nextInt(2) * 40);
        default -> sim.faults().killCursors();
      }
    }
    sim.faults().clear();
    shop("audit").insertOne(new Document("mark", true));
    awaitDurable(sim.clusterTime(), following);
    harness.stopping().stop();
    following.get();
    requireWhole();
    assertEquals(List.of(), harness.findings());
    assertTrue(harness.coverage().orElseThrow().newestBranch() > 1);
    assertEquals(0, sim.openCursors());
  }

  @Test
  void a_connection_that_breaks_while_it_begins_is_made_again() throws Exception {
    // twice, as the driver tries once more by itself
    sim.faults().dropConnection("find local.system.replset", 2, 0);
    Future<?> following = following();
    await(() -> sim.openCursors() > 0 || harness.durable().isPresent(), following);
    shop("audit").insertOne(new Document("mark", true));
    awaitDurable(sim.clusterTime(), following);
    harness.stopping().stop();
    following.get();
    requireWhole();
    assertEquals(List.of(), harness.findings());
  }

  @Test
  void a_recording_that_fails_anywhere_goes_on_without_loss() throws Exception {
    Random random = new Random(9);
    for (int i = 0; i < 10; i++) {
      int failing = i;
      Future<?> following =
          threads.submit(
              () -> {
                assertThrows(IOException.class, () -> harness.failAppend(failing % 3).follow());
                return null;
              });
      while (!following.isDone()) {
        write(random, 5);
        Thread.sleep(20); // so that there are several slices
      }
      following.get();
    }
    followToNow();
    requireWhole();
    assertEquals(List.of(), harness.findings());
  }

  @Test
  void an_oplog_that_has_rolled_over_leaves_a_gap_that_is_named() throws Exception {
    followToNow();
    BsonTimestamp before = OplogTimes.timestamp(harness.durable().orElseThrow());
    write(new Random(2), 30);
    sim.rollOver(sim.clusterTime());
    followToNow();
    Coverage coverage = harness.coverage().orElseThrow();
    assertEquals(1, coverage.gaps().size());
    assertEquals(before.getValue(), coverage.gaps().get(0).from().offset());
    assertTrue(coverage.gaps().get(0).why().contains("rolled over"), coverage.gaps().toString());
    assertEquals(CoreFailure.STREAM_GAP, harness.findings().get(0).code());
    assertEquals(before, reading().end().orElseThrow());
  }

  @Test
  void nothing_is_recorded_of_what_concerns_nobody() throws Exception {
    followToNow();
    int slices = harness.coverage().orElseThrow().slices().size();
    Future<?> following = following();
    for (int i = 0; i < 20; i++) {
      sim.noop();
      sim.client().getDatabase("other").getCollection("x").insertOne(new Document());
    }
    shop("audit").insertOne(new Document("mark", true));
    awaitDurable(sim.clusterTime(), following);
    harness.stopping().stop();
    following.get();
    assertEquals(slices + 1, harness.coverage().orElseThrow().slices().size());
  }

  /** Every document of a database at a time, by collection. */
  private Map<String, Set<RawDocument>> state(BsonTimestamp time) {
    Map<String, Set<RawDocument>> state = new TreeMap<>();
    for (String name : COLLECTIONS) {
      BsonDocument find =
          new Document("find", name)
              .append("batchSize", 100_000)
              .append(
                  "readConcern", new Document("level", "snapshot").append("atClusterTime", time))
              .toBsonDocument();
      RawBsonDocument reply =
          sim.client().getDatabase("shop").runCommand(find, RawBsonDocument.class);
      state.put(name, documents(reply));
    }
    return state;
  }

  private static Set<RawDocument> documents(RawBsonDocument reply) {
    Set<RawDocument> documents = new HashSet<>();
    for (RawElement e :
        RawDocument.of(reply).get("cursor").document().get("firstBatch").document()) {
      documents.add(e.document().copied());
    }
    return documents;
  }

  private static Map<String, Set<RawDocument>> all(MongoClient client, String database) {
    Map<String, Set<RawDocument>> state = new TreeMap<>();
    for (String name : COLLECTIONS) {
      state.put(name, all(client, database, name));
    }
    return state;
  }

  private void put(MongoClient client, Map<String, Set<RawDocument>> base) {
    base.forEach(
        (name, documents) -> {
          if (!documents.isEmpty()) {
            client
                .getDatabase("copy")
                .getCollection(name, RawBsonDocument.class)
                .insertMany(documents.stream().map(RawDocument::forDriver).toList());
          }
        });
  }

  private static OplogReplay replay(MongodSim into, ReplaySettings settings) {
    return new OplogReplay(into.client(), new Definitions(), settings);
  }

  @Test
  void a_replay_leads_to_the_state_of_any_moment() throws Exception {
    leadsToAnyMoment();
  }

  @Test
  void so_it_does_where_transactions_are_chains_and_prepared() throws Exception {
    use(MongodSim.builder().splitTransactions(1).preparedTransactions().start());
    leadsToAnyMoment();
  }

  private void leadsToAnyMoment() throws Exception {
    Future<?> following = following();
    await(() -> harness.durable().isPresent() || sim.openCursors() > 0, following);
    Random random = new Random(5);
    List<BsonTimestamp> moments = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      write(random, 5);
      moments.add(sim.clusterTime());
    }
    shop("audit").insertOne(new Document("mark", true));
    awaitDurable(sim.clusterTime(), following);
    harness.stopping().stop();
    following.get();
    BsonTimestamp base = moments.get(3);
    for (int i = 4; i < moments.size(); i += 5) {
      BsonTimestamp moment = moments.get(i);
      try (MongodSim target = MongodSim.replicaSet()) {
        put(target.client(), state(base));
        OplogPlan plan = plan(base, moment);
        OplogReplay replay =
            replay(
                target,
                ReplaySettings.of(OplogSelection.renamed("shop", "copy"), plan.target())
                    .after(base)
                    .parallel(2, threads));
        ReplayCounts counts = plan.run(replay, Stopping.never());
        assertEquals(state(moment), all(target.client(), "copy"), "at " + moment);
        assertTrue(counts.isBehindTarget());
        assertEquals(0, counts.missing());
      }
    }
  }

  private OplogPlan plan(BsonTimestamp base, BsonTimestamp moment) throws Exception {
    Position at = OplogTimes.position("rs0", 1, base);
    return OplogPlan.of(
        new Recorded(harness),
        new CaptureSpan(at, at, OplogTimes.instant(base)),
        false,
        new RecoveryPoint.AtPosition(moment.getValue(), OplogTimes.text(moment), true));
  }

  @Test
  void a_capture_between_fences_is_consistent_at_its_end() throws Exception {
    for (int round = 0; round < 5; round++) {
      Random random = new Random(round);
      OplogFence fence = OplogFence.begin(sim.client(), OplogSelection.databases(Set.of("shop")));
      try (MongodSim target = MongodSim.replicaSet()) {
        for (String name : COLLECTIONS) {
          write(random, 20);
          Map<String, Set<RawDocument>> read = all(sim.client(), "shop");
          read.keySet().retainAll(Set.of(name));
          put(target.client(), read);
        }
        BsonTimestamp end = fence.now();
        write(random, 3);
        List<RawDocument> copied = new ArrayList<>();
        OplogFence.Copied told =
            fence.copyTo(
                (b, o, l) -> copied.add(new RawDocument(b, o, l).copied()), end, Stopping.never());
        assertEquals(told.entries(), copied.size());
        OplogReplay replay =
            replay(
                target,
                ReplaySettings.of(OplogSelection.renamed("shop", "copy"), ReplayTarget.latest())
                    .tolerantUntil(end));
        for (RawDocument entry : copied) {
          replay.document(entry.array(), entry.start(), entry.length());
        }
        replay.finish();
        assertEquals(state(end), all(target.client(), "copy"), "round " + round);
      }
    }
  }

  private MongoFailure copying(Runnable meanwhile) throws IOException {
    OplogFence fence = OplogFence.begin(sim.client(), OplogSelection.databases(Set.of("shop")));
    meanwhile.run();
    BackupException.Source e =
        assertThrows(
            BackupException.Source.class,
            () -> fence.copyTo((b, o, l) -> {}, fence.now(), Stopping.never()));
    return (MongoFailure) e.code();
  }

  @Test
  void a_capture_knows_when_its_oplog_does_not_make_it_consistent() throws Exception {
    assertEquals(
        MongoFailure.OPLOG_RENAMED,
        copying(() -> shop("keys").renameCollection(new MongoNamespace("shop.keys2"))));
    assertEquals(
        MongoFailure.OPLOG_ROLLED_OVER,
        copying(
            () -> {
              write(new Random(1), 10);
              sim.rollOver(sim.clusterTime());
            }));
  }

  @Test
  void a_check_says_what_is_missing() throws Exception {
    assertEquals(
        Map.of(
            "check.mongo.connectivity", CheckResult.Verdict.PASS,
            "check.mongo.oplog-privileges", CheckResult.Verdict.PASS,
            "check.mongo.oplog-window", CheckResult.Verdict.WARN),
        statuses());
    use(MongodSim.builder().denying("find local.oplog.rs").start());
    assertEquals(CheckResult.Verdict.FAIL, statuses().get("check.mongo.oplog-privileges"));
    use(MongodSim.builder().standalone().start());
    assertEquals(Map.of("check.mongo.connectivity", CheckResult.Verdict.FAIL), statuses());
    BackupException.Refused e = assertThrows(BackupException.Refused.class, () -> harness.follow());
    assertEquals(MongoFailure.NOT_A_REPLICA_SET, e.code());
  }

  private Map<String, CheckResult.Verdict> statuses() throws IOException {
    Map<String, CheckResult.Verdict> statuses = new TreeMap<>();
    harness.checks().forEach(c -> statuses.put(c.id(), c.verdict()));
    return statuses;
  }

  @Test
  void commands_of_the_primary_lead_to_the_same_collections_and_definitions() throws Exception {
    followToNow();
    MongoCollection<Document> keys = shop("keys");
    keys.createIndex(new Document("n", 1), new IndexOptions().unique(true));
    keys.createIndex(new Document("gone", 1));
    keys.dropIndex("gone_1");
    keys.insertOne(new Document("_id", 5).append("n", 5));
    keys.renameCollection(new MongoNamespace("shop.audit2"));
    shop("issuers").drop();
    sim.client()
        .getDatabase("shop")
        .createCollection("log", new CreateCollectionOptions().capped(true).sizeInBytes(4096));
    shop("log").insertOne(new Document("_id", 1));
    sim.client().getDatabase("shop").createView("v", "audit2", List.of());
    followToNow();
    try (MongodSim target = MongodSim.replicaSet()) {
      Definitions definitions = new Definitions();
      OplogReplay replay =
          new OplogReplay(
              target.client(),
              definitions,
              ReplaySettings.of(OplogSelection.renamed("shop", "copy"), ReplayTarget.latest())
                  .tolerantUntil(sim.clusterTime()));
      // The recording began behind the first documents: the base has them.
      for (String name : COLLECTIONS) {
        target
            .client()
            .getDatabase("copy")
            .getCollection(name)
            .insertOne(new Document("_id", "first"));
      }
      reading().copyTo(replay, () -> false);
      replay.finish();
      assertEquals(
          Set.of("audit", "audit2", "log"),
          target.client().getDatabase("copy").listCollectionNames().into(new TreeSet<>()));
      assertEquals(all(sim.client(), "shop", "audit2"), all(target.client(), "copy", "audit2"));
      Map<String, List<String>> made = new TreeMap<>();
      definitions
          .collections("shop")
          .forEach(
              c ->
                  made.put(
                      c.name() + " " + c.type(),
                      c.indexes().stream().map(x -> x.getString("name").getValue()).toList()));
      assertEquals(
          Map.of(
              "audit2 collection",
              List.of("n_1"),
              "log collection",
              List.of("_id_"),
              "v view",
              List.of()),
          made);
    }
  }

  private static Set<RawDocument> all(MongoClient client, String database, String collection) {
    Set<RawDocument> documents = new HashSet<>();
    client
        .getDatabase(database)
        .getCollection(collection, RawBsonDocument.class)
        .find()
        .forEach(d -> documents.add(RawDocument.of(d).copied()));
    return documents;
  }

  @Test
  void a_time_is_that_of_the_primary() throws Exception {
    followToNow();
    Instant between = Instant.now().plusMillis(20);
    Thread.sleep(50);
    followToNow();
    List<RawDocument> before = new ArrayList<>();
    for (RawDocument entry : recorded()) {
      if (!ReplayTarget.at(between, true).isBehind(Entries.ts(1), OplogEntry.of(entry).wall())) {
        before.add(entry);
      }
    }
    assertEquals(recorded().size() - 1, before.size());
  }
}
