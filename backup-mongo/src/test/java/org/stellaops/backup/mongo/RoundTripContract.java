package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.bson.BsonDocument;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** What holds on every server: capture, loss, restore, comparison. */
abstract class RoundTripContract {
  static final String DB = "issuer-directory";

  /** Of a server that the subclass starts; the subclass closes it. */
  abstract MongoClient client();

  @BeforeEach
  void fill() {
    List.of(DB, "drill").forEach(name -> client().getDatabase(name).drop());
    SampleData.fill(client().getDatabase(DB));
  }

  @Test
  void a_dropped_database_is_restored_byte_for_byte_with_its_indexes() throws Exception {
    // given
    Map<String, Tally> before = tallies(DB);
    Map<String, BsonDocument> indexesBefore = SampleData.indexes(client(), DB);
    MongoSource source = MongoSource.database(client(), DB);
    Captured captured = CaptureHarness.of(source).capture();
    client().getDatabase(DB).drop();
    // when
    RestoreHarness restore = RestoreHarness.of(source.origin().orElseThrow(), captured);
    restore.restore();
    // then
    assertEquals(before, tallies(DB));
    assertEquals(indexesBefore, SampleData.indexes(client(), DB));
    assertEquals(6, indexesBefore.size());
    assertEquals(List.of(), restore.findings());
    String endpoint = restore.endpoint().orElseThrow().uri().toString();
    assertTrue(endpoint.matches("mongodb://[a-z0-9.]+:[0-9]+/" + DB), endpoint);
  }

  @Test
  void the_inventory_holds_count_bytes_and_content_of_each_collection() throws Exception {
    // given
    Map<String, Tally> before = tallies(DB);
    // when
    Captured captured = capture();
    // then
    assertEquals(4, captured.source().inventory().size());
    for (InventoryItem item : captured.source().inventory()) {
      Tally tally = before.get(item.name().substring(DB.length() + 1));
      assertEquals(
          InventoryItem.of(item.name(), tally.documents(), tally.bytes(), tally.content()), item);
    }
    assertEquals("NONE", captured.source().properties().get("consistency"));
    assertEquals(
        List.of(MongoFailure.NOTHING_HELD_TOGETHER),
        captured.findings().stream().map(Finding::code).toList());
  }

  @Test
  void the_archive_is_one_that_verifies_by_itself() throws Exception {
    Captured captured = capture();
    MongoArchive.Report report =
        MongoArchive.verify(new ByteArrayInputStream(captured.bytes(DB + ".archive")));
    assertEquals(SampleData.ISSUERS + SampleData.KEYS + SampleData.AUDIT, report.documents());
    assertEquals(4, report.contents().size());
    assertTrue(captured.boundaries(DB + ".archive").size() >= 4);
  }

  @Test
  void a_database_is_restored_under_another_name_beside_the_live_one() throws Exception {
    // given
    Map<String, Tally> before = tallies(DB);
    Captured captured = capture();
    client().getDatabase(DB).getCollection("issuers").drop();
    Map<String, Tally> live = tallies(DB);
    // when
    RestoreHarness.of(MongoTarget.into(client(), "drill"), captured).restore();
    // then
    assertEquals(before, tallies("drill"));
    assertEquals(live, tallies(DB));
  }

  final Captured capture() throws IOException {
    return CaptureHarness.of(MongoSource.database(client(), DB)).capture();
  }

  final Map<String, Tally> tallies(String database) throws IOException {
    return SampleData.tallies(client(), database);
  }
}
