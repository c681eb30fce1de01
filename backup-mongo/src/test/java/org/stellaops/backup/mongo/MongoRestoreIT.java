package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.Document;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.archive.TestArchive;
import org.stellaops.backup.spi.RestorePlanning.Undo;
import org.stellaops.backup.testkit.ArtifactDamage;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;
import org.stellaops.backup.testkit.RestorePlanned;

class MongoRestoreIT {
  private static final String DB = "issuer-directory";
  private static final String MARKER = "stella.backup.unfinished";

  private static WireServer server;

  @TempDir private Path directory;

  private Captured captured;
  private Map<String, Tally> original;

  @BeforeAll
  static void start() {
    server = WireServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @BeforeEach
  void captureOnce() throws IOException {
    server.client().listDatabaseNames().forEach(name -> server.database(name).drop());
    SampleData.fill(server.database(DB));
    original = tallies(DB);
    captured = CaptureHarness.of(MongoSource.database(server.client(), DB)).capture();
  }

  @Test
  void a_database_that_is_not_empty_is_refused_when_the_restore_is_planned() throws Exception {
    RestorePlanned planned = into(DB).plan();
    assertEquals(TargetState.Occupancy.OCCUPIED, planned.state().occupancy());
    assertEquals(
        List.of(CoreFailure.TARGET_NOT_EMPTY),
        planned.blockers().stream().map(Finding::code).toList());
    assertThrows(BackupException.Refused.class, () -> into(DB).restore());
    assertEquals(original, tallies(DB));
  }

  @Test
  void what_somebody_created_after_the_plan_is_neither_overwritten_nor_taken_back()
      throws Exception {
    RestoreHarness restore = into("drill");
    assertTrue(restore.plan().isPossible());
    restore.stage();
    server.database("drill").getCollection("issuers").insertOne(new Document("_id", 1));
    Map<String, Tally> theirs = tallies("drill");
    var e = assertThrows(BackupException.Target.class, restore::publish);
    assertEquals(CoreFailure.TARGET_NOT_EMPTY, e.code());
    restore.rollBack();
    assertEquals(theirs, tallies("drill"));
  }

  @Test
  void the_plan_of_an_empty_target_can_be_taken_back_and_one_that_replaces_cannot()
      throws Exception {
    assertEquals(Undo.REMOVE, into("drill").plan().undo());
    assertEquals(TargetState.Occupancy.EMPTY, into("drill").plan().state().occupancy());
    RestorePlanned replacing = RestoreHarness.of(replace(server.client(), DB), captured).plan();
    assertEquals(Undo.IMPOSSIBLE, replacing.undo());
    assertEquals(
        List.of(
            DB + ".issuer_audit",
            DB + ".issuer_keys",
            DB + ".issuer_trust_overrides",
            DB + ".issuers"),
        replacing.overwrites());
  }

  @Test
  void the_fingerprint_of_a_target_changes_with_its_collections_and_not_with_their_content()
      throws Exception {
    var before = into(DB).plan().state().fingerprint();
    server.database(DB).getCollection("issuers").insertOne(new Document("name", "new"));
    assertEquals(before, into(DB).plan().state().fingerprint());
    server.database(DB).createCollection("another");
    assertTrue(!before.equals(into(DB).plan().state().fingerprint()));
  }

  @Test
  void replacing_drops_what_is_restored_and_leaves_the_rest() throws Exception {
    // given
    server.database(DB).getCollection("issuers").drop();
    server.database(DB).getCollection("issuers").insertOne(new Document("name", "rogue"));
    server.database(DB).getCollection("bystander").insertOne(new Document("a", 1));
    Map<String, Tally> before = tallies(DB);
    // when
    RestoreHarness restore = RestoreHarness.of(replace(server.client(), DB), captured);
    restore.restore();
    // then
    Map<String, Tally> after = tallies(DB);
    assertEquals(before.get("bystander"), after.remove("bystander"));
    assertEquals(original, after);
    assertEquals(List.of(MongoFailure.LEFT_AS_IT_IS), codes(restore));
  }

  @Test
  void no_command_reaches_the_server_for_a_damaged_archive() throws Exception {
    List<String> commands = new ArrayList<>();
    long length = captured.bytes(DB + ".archive").length;
    try (MongoClient client = server.connect(e -> commands.add(e.getCommandName()))) {
      Random random = new Random(20261121);
      for (int i = 0; i < 40; i++) {
        long offset = (long) (random.nextDouble() * length);
        requireStagingFails(client, ArtifactDamage.flip(offset), "flip " + offset);
        requireStagingFails(client, ArtifactDamage.truncate(offset), "truncate " + offset);
      }
      requireStagingFails(client, ArtifactDamage.extend((byte) 0), "extended");
    }
    assertEquals(List.of(), commands);
  }

  private void requireStagingFails(MongoClient client, ArtifactDamage damage, String how) {
    RestoreHarness restore =
        RestoreHarness.of(MongoTarget.into(client, "drill"), captured)
            .damage(DB + ".archive", damage);
    assertThrows(BackupException.Corrupt.class, restore::stage, how);
  }

  @Test
  void a_document_that_is_refused_ends_the_restore_with_its_id_and_nothing_stays()
      throws Exception {
    // given
    CollectionSpec keys = TestArchive.collection("keys", "{}");
    Captured twice =
        register(TestArchive.of("db", List.of(keys), document(1), document(2), document(1)));
    // when
    RestoreHarness restore = RestoreHarness.of(MongoTarget.into(server.client(), "drill"), twice);
    var e = assertThrows(BackupException.Target.class, restore::restore);
    // then
    assertEquals(MongoFailure.INSERT_FAILED, e.code());
    assertTrue(e.getMessage().contains("drill.keys: 1 of 3 documents"), e.getMessage());
    assertTrue(e.getMessage().contains("_id BsonInt32{value=1}: code 11000"), e.getMessage());
    assertEquals(Map.of(), tallies("drill"));
  }

  @Test
  void a_collection_that_reads_back_otherwise_ends_the_restore() throws Exception {
    Consumer<String> loseOne =
        command -> {
          if (command.equals("find")) {
            server.database("drill").getCollection("issuers").deleteOne(new Document("_id", 7));
          }
        };
    try (MongoClient client = server.connect(e -> loseOne.accept(e.getCommandName()))) {
      RestoreHarness restore = RestoreHarness.of(MongoTarget.into(client, "drill"), captured);
      var e = assertThrows(BackupException.Target.class, restore::restore);
      assertEquals(CoreFailure.CONTENT_DIFFERS, e.code());
      assertTrue(e.getMessage().contains("drill.issuers: expected 250 documents"), e.getMessage());
      assertTrue(e.getMessage().contains("found 249 documents"), e.getMessage());
      assertEquals(Map.of(), tallies("drill"));
    }
  }

  @Test
  void a_restore_that_was_cut_off_shows_and_the_same_run_can_go_on() throws Exception {
    // given
    assertThrows(BackupException.Stopped.class, () -> into("drill").stopAfter(100_000).publish());
    assertTrue(tallies("drill").containsKey(MARKER));
    // then a plan, a check and a capture say so
    RestoreHarness again = into("drill");
    RestorePlanned planned = again.plan();
    assertEquals(TargetState.Occupancy.UNFINISHED_RESTORE, planned.state().occupancy());
    assertTrue(planned.state().description().contains("unfinished restore of run"));
    var e =
        assertThrows(
            BackupException.Source.class,
            () -> CaptureHarness.of(MongoSource.database(server.client(), "drill")).capture());
    assertEquals(MongoFailure.UNFINISHED_RESTORE, e.code());
    // and the next attempt of the same run succeeds
    again.publish();
    assertEquals(original, tallies("drill"));
  }

  @Test
  void a_restore_that_was_cut_off_is_taken_back() throws Exception {
    assertThrows(BackupException.Stopped.class, () -> into("drill").stopAfter(100_000).publish());
    server.database("drill").getCollection("bystander").insertOne(new Document("_id", 1));
    into("drill").rollBack();
    assertEquals(List.of("bystander"), List.copyOf(tallies("drill").keySet()));
  }

  @Test
  void a_restore_that_ended_well_can_be_taken_back_when_another_source_fails() throws Exception {
    RestoreHarness restore = into("drill");
    restore.restore();
    restore.publish(); // once more changes nothing
    restore.rollBack();
    assertEquals(Map.of(), tallies("drill"));
    restore.rollBack();
    assertEquals(Map.of(), tallies("drill"));
  }

  @Test
  void what_was_replaced_cannot_be_taken_back_and_a_finding_says_so() throws Exception {
    RestoreHarness restore = RestoreHarness.of(replace(server.client(), DB), captured);
    restore.restore();
    restore.rollBack();
    assertEquals(List.of(MongoFailure.NOT_TAKEN_BACK), codes(restore));
    assertEquals(original, tallies(DB));
  }

  @Test
  void an_archive_of_a_whole_server_is_refused_before_anything_is_touched() throws Exception {
    Path file = directory.resolve("full.archive");
    try (InputStream in =
        MongoRestoreIT.class.getResourceAsStream("/mongodump/dump-w-oplog.archive")) {
      Files.copy(in, file);
    }
    RestoreHarness restore =
        RestoreHarness.of(
            MongoTarget.into(server.client(), "drill"),
            CaptureHarness.of(MongoArchiveSource.of(file)).capture());
    var e = assertThrows(BackupException.Target.class, restore::stage);
    assertEquals(MongoFailure.NOT_RESTORABLE, e.code());
  }

  /** The test server drops options and makes collections of views: lies that have to show. */
  @Test
  void a_server_that_drops_options_or_makes_a_collection_of_a_view_is_found_out() throws Exception {
    CollectionSpec lenient = TestArchive.collection("log", "{validationLevel: 'moderate'}");
    RestoreHarness restore =
        RestoreHarness.of(
            MongoTarget.into(server.client(), "drill"),
            register(TestArchive.of("db", List.of(lenient), document(1))));
    restore.restore();
    assertTrue(
        restore.findings().stream()
            .anyMatch(
                f ->
                    f.code() == MongoFailure.DEFINITION_DIFFERS
                        && f.subject().equals("drill.log")
                        && f.found().startsWith("option validationLevel: expected")),
        restore.findings().toString());
    CollectionSpec view =
        new CollectionSpec(
            "v", "view", BsonDocument.parse("{viewOn: 'log', pipeline: []}"), List.of(), "");
    RestoreHarness withView =
        RestoreHarness.of(
            MongoTarget.into(server.client(), "drill2"),
            register(TestArchive.of("db", List.of(view))));
    var e = assertThrows(BackupException.Target.class, withView::restore);
    assertEquals(CoreFailure.CONTENT_DIFFERS, e.code());
    assertTrue(e.getMessage().contains("expected a view, found a collection"), e.getMessage());
  }

  @Test
  void large_documents_and_more_than_a_batch_arrive() throws Exception {
    // given
    byte[] large = new byte[9 << 20];
    new Random(9).nextBytes(large);
    server.database("big").getCollection("x").insertOne(new Document("large", large));
    List<Document> many = new ArrayList<>();
    for (int i = 0; i < 12_000; i++) {
      many.add(new Document("_id", i));
    }
    server.database("big").getCollection("x").insertMany(many);
    Captured big = CaptureHarness.of(MongoSource.database(server.client(), "big")).capture();
    // when
    RestoreHarness.of(MongoTarget.into(server.client(), "big2"), big).restore();
    // then
    assertEquals(tallies("big"), tallies("big2"));
  }

  private RestoreHarness into(String database) {
    return RestoreHarness.of(MongoTarget.into(server.client(), database), captured);
  }

  private static MongoTarget replace(MongoClient client, String database) {
    return MongoTarget.into(client, database).existing(Existing.REPLACE);
  }

  private Captured register(byte[] archive) throws IOException {
    Path file = directory.resolve("made.archive");
    Files.write(file, archive);
    return CaptureHarness.of(MongoArchiveSource.of(file)).capture();
  }

  private static BsonDocument document(int id) {
    return new BsonDocument("_id", new BsonInt32(id)).append("a", new BsonArray());
  }

  private static List<FailureCode> codes(RestoreHarness restore) {
    return restore.findings().stream().map(Finding::code).toList();
  }

  private static Map<String, Tally> tallies(String database) throws IOException {
    return SampleData.tallies(server.client(), database);
  }
}
