package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoDatabase;
import java.io.ByteArrayInputStream;
import java.util.List;
import java.util.Map;
import org.bson.BsonDocument;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** Capture, loss, restore, comparison, on a server that speaks the wire protocol. */
class MongoRoundTripIT {
  private static final String DB = "issuer-directory";

  private static WireServer server;

  @BeforeAll
  static void start() {
    server = WireServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @BeforeEach
  void fill() {
    server.client().listDatabaseNames().forEach(name -> server.database(name).drop());
    SampleData.fill(server.database(DB));
  }

  @Test
  void a_dropped_database_is_restored_byte_for_byte_with_its_indexes() throws Exception {
    // given
    Map<String, Tally> before = SampleData.tallies(server.client(), DB);
    Map<String, BsonDocument> indexesBefore = SampleData.indexes(server.client(), DB);
    MongoSource source = MongoSource.database(server.client(), DB);
    Captured captured = CaptureHarness.of(source).capture();
    server.database(DB).drop();
    // when
    RestoreHarness restore = RestoreHarness.of(source.origin().orElseThrow(), captured);
    restore.restore();
    // then
    assertEquals(before, SampleData.tallies(server.client(), DB));
    assertEquals(indexesBefore, SampleData.indexes(server.client(), DB));
    assertEquals(
        "mongodb://" + server.hostAndPort() + "/" + DB,
        restore.endpoint().orElseThrow().uri().toString());
    assertEquals(List.of(), restore.findings());
  }

  @Test
  void the_inventory_holds_count_bytes_and_content_of_each_collection() throws Exception {
    // given
    Map<String, Tally> before = SampleData.tallies(server.client(), DB);
    // when
    Captured captured = CaptureHarness.of(MongoSource.database(server.client(), DB)).capture();
    // then
    assertEquals(4, captured.source().inventory().size());
    for (InventoryItem item : captured.source().inventory()) {
      Tally tally = before.get(item.name().substring(DB.length() + 1));
      assertEquals(
          InventoryItem.of(item.name(), tally.documents(), tally.bytes(), tally.content()), item);
    }
    assertEquals("NONE", captured.source().properties().get("consistency"));
    assertEquals(
        List.of(MongoFailure.NOT_CONSISTENT),
        captured.findings().stream().map(Finding::code).toList());
  }

  @Test
  void the_archive_is_one_that_verifies_by_itself() throws Exception {
    Captured captured = CaptureHarness.of(MongoSource.database(server.client(), DB)).capture();
    MongoArchive.Report report =
        MongoArchive.verify(new ByteArrayInputStream(captured.bytes(DB + ".archive")));
    assertEquals(SampleData.ISSUERS + SampleData.KEYS + SampleData.AUDIT, report.documents());
    assertEquals(4, report.contents().size());
    assertTrue(captured.boundaries(DB + ".archive").size() >= 4);
  }

  @Test
  void a_database_is_restored_under_another_name_beside_the_live_one() throws Exception {
    Captured captured = CaptureHarness.of(MongoSource.database(server.client(), DB)).capture();
    MongoDatabase live = server.database(DB);
    live.getCollection("issuers").drop();
    RestoreHarness.of(MongoTarget.into(server.client(), "drill"), captured).restore();
    assertEquals(
        SampleData.ISSUERS, server.database("drill").getCollection("issuers").countDocuments());
    assertEquals(0, live.getCollection("issuers").countDocuments());
  }
}
