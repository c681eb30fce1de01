package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.bson.BsonDocument;
import org.bson.Document;
import org.bson.RawBsonDocument;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoVerification.Verdict;
import org.stellaops.backup.mongo.fixture.MongodSim;
import org.stellaops.backup.mongo.internal.archive.TestArchive;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** What is found in a database that is not, or may not be, as it should. */
class MongoValidateIT {
  private static final String DB = "shop";

  @TempDir private Path directory;

  private MongodSim sim;

  @BeforeEach
  void start() {
    sim = MongodSim.builder().version("4.4.29").start();
    for (String name : List.of("orders", "still")) {
      for (int i = 0; i < 200; i++) {
        database(DB).getCollection(name).insertOne(new Document("_id", i).append("n", i));
      }
    }
  }

  @AfterEach
  void stop() {
    sim.close();
  }

  private com.mongodb.client.MongoDatabase database(String name) {
    return sim.client().getDatabase(name);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{valid: false, errors: [\"Index with name 'n_1' has inconsistencies.\"], warnings: ['Detected 2"
            + " missing index entries.'], missingIndexEntries: [{indexName: 'n_1', recordId:"
            + " {$numberLong: '1'}, idKey: {_id: 0}, indexKey: {n: 0}}, {indexName: 'n_1'}],"
            + " indexDetails: {_id_: {valid: true}, n_1: {valid: false}}} | STELLA-MG-061 | not valid: 2"
            + " missing index entries; index n_1; Index with name 'n_1' has inconsistencies.",
        "{valid: false, errors: ['Detected one or more corrupt records.'], corruptRecords:"
            + " [{$numberLong: '7'}]} | STELLA-MG-061 | not valid: 1 corrupt records; Detected one or more"
            + " corrupt records.",
        "{valid: true, corruptRecords: [{$numberLong: '7'}]} | STELLA-MG-061 | not valid: 1 corrupt records",
        "{valid: true, warnings: ['Could not complete validation of table:collection-7. This is a"
            + " transient issue as the collection was actively in use by other operations.']} |"
            + " STELLA-MG-062 | validated with warnings: Could not complete validation of"
            + " table:collection-7. This is a transient issue as the collection was actively in use by"
            + " other operations."
      })
  void what_a_server_reports_of_a_collection_is_a_finding(String reply, String code, String found)
      throws Exception {
    sim.faults().answer("validate shop.orders", BsonDocument.parse(reply));
    MongoIntegrityReport report =
        MongoIntegrity.standard().check(sim.client(), DB, Stopping.never());
    assertEquals(code.endsWith("062"), report.isSound());
    assertEquals(
        List.of(code + " shop.orders " + found),
        report.findings().stream()
            .map(f -> f.code().code() + " " + f.subject() + " " + f.found())
            .toList());
  }

  @Test
  void a_restore_whose_server_reports_damage_is_taken_back() throws Exception {
    Captured captured = CaptureHarness.of(MongoSource.database(sim.client(), DB)).capture();
    sim.faults()
        .answer("validate drill.orders", BsonDocument.parse("{valid: false, errors: ['torn']}"));
    MongoTarget target =
        MongoTarget.into(sim.client(), "drill").provenBy(MongoIntegrity.standard());
    var e =
        assertThrows(
            BackupException.Target.class, () -> RestoreHarness.of(target, captured).restore());
    assertEquals(MongoFailure.INTEGRITY_BROKEN, e.code());
    assertTrue(e.getMessage().contains("torn"), e.getMessage());
    assertFalse(sim.client().listDatabaseNames().into(new ArrayList<>()).contains("drill"));
  }

  @Test
  void what_a_replay_may_have_changed_is_told_from_what_differs() throws Exception {
    AtomicInteger reads = new AtomicInteger();
    sim.faults()
        .before(
            "getMore shop.orders",
            c -> {
              int n = reads.incrementAndGet();
              if (n < 3) {
                database(DB)
                    .getCollection("orders")
                    .replaceOne(new Document("_id", 0), new Document("turn", n));
              }
            });
    Captured captured =
        CaptureHarness.of(MongoSource.database(sim.client(), DB).sized(2_000, Long.MAX_VALUE))
            .capture();
    sim.faults().clear();
    assertEquals("OPLOG_FENCED", captured.source().properties().get("consistency"));
    database("drill").drop();
    RestoreHarness.of(MongoTarget.into(sim.client(), "drill"), captured).restore();
    assertEquals(List.of("orders OF_BEFORE_REPLAY", "still SAME"), verdicts(captured));
    assertTrue(compared(captured).isPlausible());
    database("drill").getCollection("still").deleteOne(new Document("_id", 7));
    assertEquals(List.of("orders OF_BEFORE_REPLAY", "still CONTENT_DIFFERS"), verdicts(captured));
    assertFalse(compared(captured).isPlausible());
    MongoVerification manifest =
        MongoVerifier.of(sim.client(), "drill").compare(captured.source(), Stopping.never());
    assertTrue(
        manifest.collections().stream().allMatch(c -> c.verdict() == Verdict.OF_BEFORE_REPLAY));
    assertFalse(manifest.isSame());
    assertTrue(
        manifest.findings().stream().allMatch(f -> f.code() == MongoFailure.NOT_CHECKED),
        manifest.findings().toString());
  }

  private MongoVerification compared(Captured captured) throws IOException {
    try (var archive = captured.open(ArtifactName.of(DB + ".archive"))) {
      return MongoVerifier.of(sim.client(), "drill").compareArchive(archive, Stopping.never());
    }
  }

  private List<String> verdicts(Captured captured) throws IOException {
    return compared(captured).collections().stream()
        .map(c -> c.namespace().substring("drill.".length()) + " " + c.verdict())
        .toList();
  }

  /** A byte that no UTF-8 has, in a name and in a text. */
  private static RawBsonDocument withInvalidText(String json) {
    byte[] bytes = TestArchive.bytes(BsonDocument.parse(json));
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = bytes[i] == '#' ? (byte) 0xfe : bytes[i];
    }
    return new RawBsonDocument(bytes);
  }

  @Test
  void text_that_is_not_utf_8_is_a_finding_and_comes_back_as_it_was() throws Exception {
    List<RawBsonDocument> odd =
        List.of(
            withInvalidText("{_id: 'in a text', a: {b: ['#']}}"),
            withInvalidText("{_id: 'in a name', 'a#': 1}"));
    database(DB).getCollection("odd", RawBsonDocument.class).insertMany(odd);
    database(DB).getCollection("odd").insertOne(new Document("_id", "ä 漢 😀"));
    Captured captured = CaptureHarness.of(MongoSource.database(sim.client(), DB)).capture();
    assertOdd(captured.findings());
    Path file = directory.resolve("archive");
    Files.write(file, captured.bytes(DB + ".archive"));
    assertOdd(CaptureHarness.of(MongoArchiveSource.of(file)).capture().findings());
    RestoreHarness.of(MongoTarget.into(sim.client(), "drill"), captured).restore();
    for (RawBsonDocument one : odd) {
      RawBsonDocument found =
          database("drill")
              .getCollection("odd", RawBsonDocument.class)
              .find(new Document("_id", one.getString("_id").getValue()))
              .first();
      assertEquals(text(one), text(found));
    }
  }

  private static void assertOdd(List<Finding> findings) {
    Finding odd =
        findings.stream()
            .filter(f -> f.code() == MongoFailure.TEXT_NOT_UTF8)
            .reduce((a, b) -> fail(a, b))
            .orElseThrow();
    assertEquals("shop.odd", odd.subject());
    assertTrue(odd.found().startsWith("2 documents"), odd.found());
    assertTrue(odd.found().contains("in a text") && odd.found().contains("in a name"), odd.found());
  }

  private static Finding fail(Finding one, Finding other) {
    throw new AssertionError("two of them: " + one + ", " + other);
  }

  private static String text(RawBsonDocument document) {
    return new String(TestArchive.bytes(document), StandardCharsets.ISO_8859_1);
  }
}
