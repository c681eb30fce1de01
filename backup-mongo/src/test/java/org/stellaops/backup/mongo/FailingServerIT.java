package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoDatabase;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.bson.BsonDocument;
import org.bson.Document;
import org.bson.RawBsonDocument;
import org.bson.types.Binary;
import org.bson.types.Decimal128;
import org.bson.types.MaxKey;
import org.bson.types.MinKey;
import org.bson.types.ObjectId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.mongo.fixture.MongodSim;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;

/**
 * What a server can do to a capture, on a simulated one: the capture is whole, or there is none.
 */
class FailingServerIT {
  private static final String DB = Orders.DB;

  private final ExecutorService threads = Executors.newFixedThreadPool(3);
  private MongodSim sim = MongodSim.replicaSet();

  @BeforeEach
  void fill() {
    new Orders(sim.client()).fill(100);
  }

  @AfterEach
  void stop() {
    threads.shutdown();
    sim.close();
  }

  @Test
  void cursors_that_are_killed_end_the_capture() {
    AtomicInteger replies = new AtomicInteger();
    sim.faults()
        .before(
            "getMore " + DB,
            c -> {
              if (replies.incrementAndGet() == 2) {
                sim.faults().killCursors();
              }
            });
    var e = assertThrows(BackupException.Source.class, this::capture);
    assertEquals(MongoFailure.SERVER_FAILED, e.code());
    assertTrue(e.getMessage().contains("reading " + DB + "."), e.getMessage());
    assertEquals(0, sim.openCursors());
  }

  /** Two readers, so that one has a cursor when the other one fails. */
  @ParameterizedTest
  @ValueSource(strings = {"find", "getMore"})
  void a_failure_leaves_no_cursor_behind(String command) {
    sim.faults().fail(command + " " + DB + ".issuer_keys", 1, 8000, "Broken", "broken");
    assertThrows(BackupException.Source.class, this::capture);
    assertEquals(0, sim.openCursors());
  }

  @ParameterizedTest
  @ValueSource(strings = {"find", "getMore", "listCollections", "listIndexes", "hello"})
  void a_connection_that_drops_anywhere_leaves_a_whole_capture_or_none(String command)
      throws Exception {
    Captured good = capture();
    int whole = 0;
    for (long bytes : new long[] {0, 10, 60, 300, 900}) {
      sim.faults().dropConnection(command, 1, bytes);
      try {
        Captured captured = capture();
        assertEquals(good.source().inventory(), captured.source().inventory(), command + bytes);
        ArchivedDocuments.of(captured, DB);
        whole++;
      } catch (BackupException.Source e) {
        assertEquals(MongoFailure.UNREACHABLE, e.code(), e.getMessage());
      }
      sim.faults().clear();
    }
    assertTrue(whole < 5 || !command.equals("getMore"), "nothing was dropped");
  }

  @Test
  void a_step_down_while_it_is_read_leaves_a_whole_capture_or_none() throws Exception {
    Captured good = capture();
    for (int at = 1; at < 6; at++) {
      AtomicInteger replies = new AtomicInteger();
      int when = at;
      sim.faults()
          .before(
              "getMore " + DB,
              c -> {
                if (replies.incrementAndGet() == when) {
                  sim.stepDown();
                }
              });
      try {
        assertEquals(good.source().inventory(), capture().source().inventory());
      } catch (BackupException.Source e) {
        assertNotNull(e.code());
      }
      sim.faults().clear();
    }
    assertEquals(good.source().inventory(), capture().source().inventory());
  }

  @Test
  void every_id_is_in_one_range_whatever_its_type() throws Exception {
    MongoDatabase database = sim.client().getDatabase("types");
    List<Document> documents = new ArrayList<>();
    for (Object id : idsOfEveryType()) {
      documents.add(new Document("_id", id).append("pad", "x".repeat(500)));
    }
    database.getCollection("all").insertMany(documents);
    database.getCollection("few").insertOne(new Document("_id", 1));
    MongoSource source =
        MongoSource.database(sim.client(), "types").sized(4_000, 10_000).parallelism(3);
    AtomicInteger bounded = new AtomicInteger();
    sim.faults()
        .before(
            "find types.all",
            find -> {
              boolean isRange = find.containsKey("min") || find.containsKey("max");
              bounded.addAndGet(isRange ? 1 : 0);
            });
    Captured captured = CaptureHarness.of(source).executor(threads).capture();
    List<RawBsonDocument> read = ArchivedDocuments.of(captured, "types").get("all");
    Set<BsonDocument> ids = new HashSet<>();
    read.forEach(d -> ids.add(new BsonDocument("_id", d.get("_id"))));
    assertEquals(documents.size(), read.size());
    assertEquals(documents.size(), ids.size(), "one was read twice");
    assertTrue(bounded.get() > 2, bounded + " ranges");
  }

  private static List<Object> idsOfEveryType() {
    List<Object> ids = new ArrayList<>(List.of(new MinKey(), new MaxKey(), true, false));
    for (int i = 0; i < 12; i++) {
      ids.add(i);
      ids.add((long) i + (1L << 40));
      ids.add(i + 0.5);
      ids.add(new Decimal128(-i - 1));
      ids.add("text " + i);
      ids.add(new ObjectId());
      ids.add(new Date(i));
      ids.add(new Document("part", i));
      ids.add(new Binary(new byte[] {(byte) i}));
      ids.add(new org.bson.BsonTimestamp(i + 1, 1));
      ids.add(new Binary((byte) 4, bytes(UUID.randomUUID())));
    }
    return ids;
  }

  private static byte[] bytes(UUID uuid) {
    return java.nio.ByteBuffer.allocate(16)
        .putLong(uuid.getMostSignificantBits())
        .putLong(uuid.getLeastSignificantBits())
        .array();
  }

  @Test
  void documents_of_16_MiB_come_along() throws Exception {
    MongoDatabase database = sim.client().getDatabase("large");
    int largest = (16 << 20) - 27; // what is left beside _id, pad and what frames them
    for (int i = 0; i < 3; i++) {
      database
          .getCollection("one")
          .insertOne(new Document("_id", i).append("p", new Binary(new byte[largest - i])));
    }
    Captured captured =
        CaptureHarness.of(MongoSource.database(sim.client(), "large")).executor(threads).capture();
    assertEquals(3, ArchivedDocuments.of(captured, "large").get("one").size());
  }

  @Test
  @Tag("soak")
  void ten_thousand_collections_come_along() throws Exception {
    MongoDatabase database = sim.client().getDatabase("many");
    for (int i = 0; i < 10_000; i++) {
      database.getCollection("c" + i).insertOne(new Document("_id", i));
    }
    Captured captured =
        CaptureHarness.of(MongoSource.database(sim.client(), "many")).executor(threads).capture();
    assertEquals("SNAPSHOT", captured.source().properties().get("consistency"));
    assertEquals(10_000, ArchivedDocuments.of(captured, "many").size());
  }

  @Test
  void an_unread_privilege_is_named_by_check_and_capture() throws Exception {
    sim.close();
    sim =
        MongodSim.builder()
            .denying("find " + DB + ".issuer_keys", "listIndexes " + DB + ".issuers")
            .start();
    new Orders(sim.client()).fill(3);
    var e = assertThrows(BackupException.Source.class, this::capture);
    assertEquals(MongoFailure.NOT_PERMITTED, e.code());
    assertTrue(e.getMessage().contains("missing privilege: listIndexes on " + DB), e.getMessage());
    CheckResult privileges = CaptureHarness.checks(source()).get(1);
    assertEquals(CheckResult.Verdict.FAIL, privileges.verdict());
    assertTrue(
        privileges
            .toString()
            .contains(
                "missing privileges: find on %s.issuer_keys, listIndexes on %s.issuers"
                    .formatted(DB, DB)),
        privileges.toString());
  }

  @Test
  void an_oplog_that_cannot_be_read_is_known_before_it_is_needed() throws Exception {
    sim.close();
    sim =
        MongodSim.builder()
            .version("4.4.29")
            .denying("find local.oplog.rs", "find config.transactions")
            .start();
    new Orders(sim.client()).fill(3);
    CheckResult check = CaptureHarness.checks(source().require(Consistency.OPLOG_FENCED)).get(3);
    assertEquals(CheckResult.Verdict.FAIL, check.verdict());
    assertTrue(
        check.toString().contains("find on local.oplog.rs, find on config.transactions"),
        check.toString());
  }

  @Test
  void a_server_before_4_4_is_refused_by_name() {
    sim.close();
    sim = MongodSim.builder().version("4.2.24").start();
    try (MongoClient client = MongoClients.create(sim.connectionString())) {
      client.getDatabase(DB).createCollection("issuers");
      var e =
          assertThrows(
              BackupException.Source.class,
              () -> CaptureHarness.of(MongoSource.database(client, DB)).capture());
      assertEquals(MongoFailure.UNSUPPORTED_SERVER, e.code());
      assertTrue(e.getMessage().contains("version 4.2.24"), e.getMessage());
    }
  }

  @Test
  void what_an_archive_looks_like_does_not_depend_on_who_was_faster() throws Exception {
    Captured alone = CaptureHarness.of(source().parallelism(3)).capture();
    for (int i = 0; i < 5; i++) {
      Captured together = capture();
      Map<String, List<RawBsonDocument>> documents = ArchivedDocuments.of(together, DB);
      assertEquals(100, documents.get("issuers").size());
      assertEquals(
          alone.source().artifacts().get(0).toString(),
          together.source().artifacts().get(0).toString());
    }
  }

  private Captured capture() throws IOException {
    return CaptureHarness.of(source()).executor(threads).capture();
  }

  /** Small replies, so that there are many. */
  private MongoSource source() {
    return MongoSource.database(sim.client(), DB).sized(1_000, Long.MAX_VALUE).parallelism(3);
  }
}
