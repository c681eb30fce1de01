package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.Filters;
import com.mongodb.client.model.Updates;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.bson.BsonTimestamp;
import org.bson.Document;
import org.bson.RawBsonDocument;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.RunningStream;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.RecoverableRange;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.mongo.MongoOplog;
import org.stellaops.backup.mongo.MongoSource;
import org.stellaops.backup.mongo.MongoTarget;
import org.stellaops.backup.mongo.fixture.MongodSim;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.testkit.MemorySink;

/** A database whose oplog is recorded can be taken to any point since its capture. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class MongoPointInTimeIT {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final String DB = "shop";
  private static final List<String> COLLECTIONS = List.of("audit", "counter", "total");

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private MongodSim sim;
  private AgeIdentity owner;
  private Host host;
  private BackupEngine engine;
  private RunningStream oplog;
  private int restores;

  /** One that cannot be read as of a time is captured behind a fence. */
  private void start(String version) throws Exception {
    sim = MongodSim.builder().version(version).splitTransactions(2).start();
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    COLLECTIONS.forEach(shop()::createCollection);
    shop().getCollection("counter").createIndex(new Document("even", 1));
    open();
  }

  private void open() throws Exception {
    engine =
        host.with(
                host.plan(sink).source("database", MongoSource.database(sim.client(), DB)).stream(
                        "oplog",
                        MongoOplog.of(sim.client())
                            .databases(DB)
                            .flushWithin(Duration.ofMillis(30)))
                    .build())
            .open();
    oplog = engine.stream("oplog");
  }

  @AfterEach
  void stopAll() throws Exception {
    engine.close();
    owner.close();
    sim.close();
    sink.assertNothingOpen();
  }

  private MongoDatabase shop() {
    return sim.client().getDatabase(DB);
  }

  /** A place in the history of the database, by both of its clocks. */
  private record Moment(Instant instant, BsonTimestamp time, Map<String, List<String>> documents) {}

  /** Writes one number in several ways, and returns when nothing later has happened. */
  private Moment count(int n) {
    MongoCollection<Document> counter = shop().getCollection("counter");
    try (ClientSession session = sim.client().startSession()) {
      session.withTransaction(
          () -> {
            counter.insertOne(session, new Document("_id", n).append("even", n % 2 == 0));
            shop().getCollection("audit").insertOne(session, new Document("_id", "written " + n));
            shop().getCollection("audit").deleteOne(session, Filters.eq("written " + (n - 3)));
            return n;
          });
    }
    MongoCollection<Document> total = shop().getCollection("total");
    total.deleteOne(Filters.eq("was"));
    total.insertOne(new Document("_id", "was").append("n", n));
    counter.updateOne(Filters.eq(n), Updates.set("done", true));
    Moment moment = new Moment(Instant.now(), sim.clusterTime(), documents(DB));
    awaitBehind(moment.instant().plusMillis(2));
    return moment;
  }

  private static void awaitBehind(Instant instant) {
    while (!Instant.now().isAfter(instant)) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  /** Nothing nearer than a second can be told of a capture. */
  private CaptureSpan backUp(String name) throws BackupException {
    engine.backup(BackupRequest.full().named(name)).requireGood();
    CaptureSpan span =
        engine.catalog().info(SnapshotRef.named(name)).captures().get(0).span().orElseThrow();
    awaitBehind(span.recoverableFrom());
    return span;
  }

  private void awaitRecorded(CaptureSpan span, BsonTimestamp time) throws Exception {
    Position end = span.end();
    Position place = new Position(end.lineage(), end.branch(), time.getValue(), text(time));
    assertTrue(oplog.await(place, SOON), () -> oplog.status().toString());
  }

  private static String text(BsonTimestamp time) {
    return time.getTime() + "." + time.getInc();
  }

  private static RecoveryPoint position(BsonTimestamp time, boolean isInclusive) {
    return new RecoveryPoint.AtPosition(time.getValue(), text(time), isInclusive);
  }

  private RestorePlan plan(RecoveryPoint point, String to) throws BackupException {
    return engine.planRestore(
        RestoreRequest.at(point)
            .with(owner)
            .target("database", MongoTarget.into(sim.client(), to)));
  }

  /** A database that was taken to this point. */
  private Map<String, List<String>> restored(RecoveryPoint point) throws Exception {
    String to = "restored" + restores++;
    RestorePlan plan = plan(point, to);
    assertTrue(plan.isPossible(), plan.describe());
    engine.restore(plan, Confirmation.of(plan.digest()));
    assertEquals(
        COLLECTIONS.size(),
        sim.client().getDatabase(to).listCollectionNames().into(new ArrayList<>()).size());
    assertEquals(
        2,
        sim.client()
            .getDatabase(to)
            .getCollection("counter")
            .listIndexes()
            .into(new ArrayList<>())
            .size());
    return documents(to);
  }

  private Map<String, List<String>> documents(String database) {
    Map<String, List<String>> documents = new TreeMap<>();
    for (String name : COLLECTIONS) {
      List<String> all = new ArrayList<>();
      sim.client()
          .getDatabase(database)
          .getCollection(name)
          .find()
          .forEach(d -> all.add(d.toJson()));
      all.sort(null);
      documents.put(name, all);
    }
    return documents;
  }

  private void assertBlocked(FailureCode code, String found, RecoveryPoint point)
      throws BackupException {
    RestorePlan plan = plan(point, "never");
    assertEquals(
        List.of(code), plan.blockers().stream().map(Finding::code).toList(), plan.describe());
    assertTrue(plan.describe().contains(found), plan.describe());
  }

  /** Somebody writes before every reply to the capture. */
  private void writeMeanwhile(int first) {
    int[] next = {first};
    sim.faults().before("find " + DB, c -> count(next[0]++));
  }

  @ParameterizedTest
  @ValueSource(strings = {"7.0.14", "4.4.29"})
  void every_kind_of_point_is_reached_exactly(String version) throws Exception {
    start(version);
    for (int n = 1; n < 6; n++) {
      count(n);
    }
    boolean isFenced = version.startsWith("4");
    if (isFenced) {
      writeMeanwhile(100);
    }
    final Instant before = Instant.now();
    CaptureSpan span = backUp("base");
    sim.faults().clear();
    final Map<String, List<String>> atEnd = documents(DB);
    List<Moment> moments = new ArrayList<>();
    for (int n = 6; n < 16; n++) {
      moments.add(count(n));
    }
    Moment last = moments.get(moments.size() - 1);
    awaitRecorded(span, last.time());

    assertEquals(atEnd, restored(RecoveryPoint.immediate()));
    for (int i : List.of(0, 3, 8)) {
      Moment moment = moments.get(i);
      Map<String, List<String>> expected = moment.documents();
      assertEquals(expected, restored(RecoveryPoint.at(moment.instant())), "at " + i);
      assertEquals(expected, restored(position(moment.time(), true)), "position " + i);
      assertEquals(expected, restored(RecoveryPoint.before(moment.instant().plusMillis(1))));
      assertFalse(expected.equals(restored(position(moment.time(), false))), "just before " + i);
    }
    assertEquals(last.documents(), restored(RecoveryPoint.latest()));
    assertTrue(
        plan(RecoveryPoint.latest(), "never").describe().contains("replay the oplog from"),
        plan(RecoveryPoint.latest(), "never").describe());
    assertBlocked(
        CoreFailure.POINT_TOO_LATE,
        "the latest instant that is recorded is",
        RecoveryPoint.at(Instant.now().plusSeconds(60)));
    var e =
        assertThrows(BackupException.Refused.class, () -> plan(RecoveryPoint.at(before), "never"));
    assertEquals(CoreFailure.POINT_TOO_EARLY, e.code());
  }

  @Test
  void behind_a_gap_nothing_is_reached_and_the_catalog_says_so() throws Exception {
    start("7.0.14");
    count(1);
    CaptureSpan span = backUp("base");
    final Moment sure = count(2);
    Moment good = count(3);
    awaitRecorded(span, good.time());
    engine.close();
    final Moment lost = count(4);
    sim.rollOver(sim.clusterTime());
    open();
    Moment late = count(5);
    awaitRecorded(span, late.time());

    assertEquals(sure.documents(), restored(RecoveryPoint.at(sure.instant())));
    assertEquals(good.documents(), restored(position(good.time(), true)));
    String reached = text(good.time());
    assertBlocked(CoreFailure.POINT_CUT_OFF, reached, RecoveryPoint.at(lost.instant()));
    assertBlocked(CoreFailure.POINT_CUT_OFF, reached, RecoveryPoint.at(late.instant()));
    assertBlocked(CoreFailure.POINT_CUT_OFF, reached, RecoveryPoint.latest());
    assertBlocked(CoreFailure.POINT_TOO_LATE, reached, position(late.time(), true));
    List<RecoverableRange> ranges = engine.catalog().recoverable("database");
    assertEquals(1, ranges.size());
    assertEquals(good.time().getValue(), ranges.get(0).end().offset());
    assertFalse(ranges.get(0).to().orElseThrow().isAfter(good.instant()));

    CaptureSpan anew = backUp("anew");
    Moment again = count(6);
    awaitRecorded(anew, again.time());
    assertEquals(again.documents(), restored(RecoveryPoint.latest()));
  }

  @Test
  void a_transaction_that_was_prepared_before_the_capture_is_there_when_it_was_committed()
      throws Exception {
    start("4.4.29");
    count(1);
    try (ClientSession session = sim.client().startSession()) {
      session.startTransaction();
      shop().getCollection("audit").insertOne(session, new Document("_id", "prepared"));
      BsonTimestamp prepared =
          sim.client()
              .getDatabase("admin")
              .runCommand(session, new Document("prepareTransaction", 1))
              .get("prepareTimestamp", BsonTimestamp.class);
      writeMeanwhile(50);
      CaptureSpan span = backUp("base");
      sim.faults().clear();
      assertTrue(Long.compareUnsigned(span.start().offset(), prepared.getValue()) <= 0);
      sim.client()
          .getDatabase("admin")
          .runCommand(
              session,
              new Document("commitTransaction", 1).append("commitTimestamp", sim.clusterTime()));
      final Moment committed = count(2);
      Moment last = count(3);
      awaitRecorded(span, last.time());
      Map<String, List<String>> expected = last.documents();
      assertTrue(expected.get("audit").toString().contains("prepared"), expected.toString());
      assertEquals(expected, restored(RecoveryPoint.latest()));
      assertEquals(committed.documents(), restored(RecoveryPoint.at(committed.instant())));
    }
  }

  @Test
  void a_restore_without_a_point_is_the_capture() throws Exception {
    start("4.4.29");
    count(1);
    writeMeanwhile(10);
    backUp("base");
    sim.faults().clear();
    final Map<String, List<String>> atEnd = documents(DB);
    count(2);
    RestorePlan plan =
        engine.planRestore(
            RestoreRequest.of(SnapshotRef.named("base"))
                .with(owner)
                .target("database", MongoTarget.into(sim.client(), "plain")));
    assertTrue(plan.describe().contains("replay the oplog that the capture brings along"));
    engine.restore(plan, Confirmation.of(plan.digest()));
    assertEquals(atEnd, documents("plain"));
    RawBsonDocument marker =
        sim.client()
            .getDatabase("plain")
            .getCollection("stella.backup.unfinished", RawBsonDocument.class)
            .find()
            .first();
    assertEquals(null, marker);
  }
}
