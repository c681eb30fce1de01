package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import com.mongodb.client.model.IndexOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.Document;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoTarget.DropPolicy;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.archive.TestArchive;
import org.stellaops.backup.mongo.internal.restore.RestoreSettings.Pace;
import org.stellaops.backup.spi.RestorePlanning.Undo;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;
import org.stellaops.backup.testkit.RestorePlanned;

class MongoRestoreModesIT {
  private static final String DB = "issuer-directory";

  /** From here to the end of the header is flags, time and system, none about what is in it. */
  private static final int GZIP_FLAGS = 3;

  private static final int GZIP_HEADER = 10;

  private static final Pace SMALL = new Pace(20_000, 50);

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
  void replacing_the_whole_database_drops_what_was_created_after_the_backup() throws Exception {
    server.database(DB).getCollection("later").insertOne(new Document("_id", 1));
    RestoreHarness restore =
        harness(target(DB).existing(Existing.REPLACE).dropping(DropPolicy.DATABASE));
    RestorePlanned planned = restore.restore();
    assertTrue(planned.overwrites().contains(DB + ".later"), planned.overwrites().toString());
    assertEquals(original, tallies(DB));
    assertEquals(List.of(), codes(restore));
  }

  @Test
  void dropping_nothing_is_refused_where_a_name_is_taken_and_adds_where_none_is() throws Exception {
    MongoTarget none = target(DB).existing(Existing.REPLACE).dropping(DropPolicy.NONE);
    assertEquals(
        List.of(CoreFailure.TARGET_NOT_EMPTY),
        harness(none).plan().blockers().stream().map(Finding::code).toList());
    server.database("drill").getCollection("later").insertOne(new Document("_id", 1));
    Map<String, Tally> before = tallies("drill");
    RestoreHarness restore =
        harness(target("drill").existing(Existing.REPLACE).dropping(DropPolicy.NONE));
    assertEquals(Undo.REMOVE, restore.plan().undo());
    restore.restore();
    assertEquals(5, tallies("drill").size());
    restore.rollBack();
    assertEquals(before, tallies("drill"));
  }

  @Test
  void merging_adds_what_is_missing_counts_what_is_there_and_keeps_what_is_more() throws Exception {
    // given
    server
        .database(DB)
        .getCollection("issuers")
        .deleteMany(new Document("_id", new Document("$lt", 100)));
    server.database(DB).getCollection("issuer_keys").drop();
    server.database(DB).getCollection("issuer_audit").insertOne(new Document("_id", "newer"));
    // when
    RestoreHarness restore = harness(target(DB).existing(Existing.MERGE).pace(SMALL));
    RestorePlanned planned = restore.restore();
    // then
    assertEquals(Undo.IMPOSSIBLE, planned.undo());
    Map<String, Tally> after = tallies(DB);
    assertEquals(original.get("issuers"), after.get("issuers"));
    assertEquals(original.get("issuer_keys"), after.get("issuer_keys"));
    assertEquals(SampleData.AUDIT + 1, after.get("issuer_audit").documents());
    Finding merged =
        restore.findings().stream()
            .filter(f -> f.code() == MongoFailure.MERGED)
            .findFirst()
            .orElseThrow();
    assertTrue(merged.found().startsWith((150 + SampleData.AUDIT) + " documents"), merged.found());
    assertTrue(SampleData.indexes(server.client(), DB).containsKey("issuer_keys by n"));
  }

  @Test
  void merging_over_a_document_with_other_content_changes_nothing_and_names_it() throws Exception {
    server.database(DB).getCollection("issuers").deleteOne(new Document("_id", 3));
    server
        .database(DB)
        .getCollection("issuers")
        .replaceOne(new Document("_id", 17), new Document("name", "edited"));
    Map<String, Tally> before = tallies(DB);
    var e =
        assertThrows(
            BackupException.Target.class,
            () -> harness(target(DB).existing(Existing.MERGE)).restore());
    assertEquals(MongoFailure.DOCUMENTS_DIFFER, e.code());
    assertTrue(e.getMessage().contains("1 documents"), e.getMessage());
    assertTrue(e.getMessage().contains(DB + ".issuers _id BsonInt32{value=17}"), e.getMessage());
    assertEquals(before, tallies(DB));
  }

  @Test
  void merging_into_a_collection_with_another_index_of_the_name_is_refused_when_it_is_planned()
      throws Exception {
    server.database(DB).getCollection("issuers").dropIndex("name_1");
    server
        .database(DB)
        .getCollection("issuers")
        .createIndex(new Document("other", 1), new IndexOptions().name("name_1"));
    RestorePlanned planned = harness(target(DB).existing(Existing.MERGE)).plan();
    assertFalse(planned.isPossible());
    assertTrue(
        planned.blockers().stream()
            .allMatch(
                f ->
                    f.code() == MongoFailure.DEFINITION_DIFFERS
                        && f.found().startsWith("issuers: index name_1")),
        planned.blockers().toString());
  }

  @Test
  void a_shadow_takes_the_place_of_what_is_live_and_can_be_taken_back() throws Exception {
    // given
    server
        .database(DB)
        .getCollection("issuers")
        .updateOne(new Document("_id", 1), new Document("$set", new Document("x", 1)));
    server.database(DB).getCollection("issuer_keys").drop();
    server.database(DB).getCollection("later").insertOne(new Document("_id", 1));
    Map<String, Tally> before = tallies(DB);
    RestoreHarness restore = harness(target(DB).existing(Existing.SHADOW));
    // when
    assertEquals(Undo.SWAP_BACK, restore.plan().undo());
    restore.stage();
    assertEquals(before, tallies(DB));
    restore.publish();
    // then
    Map<String, Tally> swapped = tallies(DB);
    assertEquals(original.get("issuers"), swapped.get("issuers"));
    assertEquals(original.get("issuer_keys"), swapped.get("issuer_keys"));
    assertEquals(before.get("later"), swapped.get("later"));
    restore.rollBack();
    assertEquals(before, tallies(DB));
    restore.restore();
    Map<String, Tally> after = tallies(DB);
    assertEquals(before.get("later"), after.remove("later"));
    assertEquals(original, after);
    assertTrue(SampleData.indexes(server.client(), DB).containsKey("issuer_keys by n"));
  }

  @Test
  void a_shadow_of_everything_keeps_what_it_replaced_if_asked() throws Exception {
    server.database(DB).getCollection("later").insertOne(new Document("_id", 1));
    RestoreHarness restore =
        harness(target(DB).existing(Existing.SHADOW).dropping(DropPolicy.DATABASE).keepReplaced());
    restore.restore();
    assertEquals(List.of(MongoFailure.REPLACED_IS_KEPT), codes(restore));
    Map<String, Tally> after = tallies(DB);
    assertEquals(1, after.get("stella.before.test-restore.later").documents());
    assertEquals(original.get("issuers"), after.get("stella.before.test-restore.issuers"));
    after.keySet().removeIf(n -> n.startsWith("stella.before."));
    assertEquals(original, after);
  }

  @Test
  void a_shadow_that_fails_before_it_is_renamed_leaves_nothing_behind() throws Exception {
    CollectionSpec keys = TestArchive.collection("keys", "{}");
    Captured twice = register(TestArchive.of("db", List.of(keys), document(1), document(1)));
    Map<String, Tally> before = tallies(DB);
    RestoreHarness restore = RestoreHarness.of(target(DB).existing(Existing.SHADOW), twice);
    assertThrows(BackupException.Target.class, restore::restore);
    assertEquals(before, tallies(DB));
  }

  @Test
  void collections_are_renamed_and_chosen_by_pattern() throws Exception {
    RestoreHarness restore =
        harness(
            target("drill")
                .rename(DB + ".issuer_*", "drill.old.*.copy")
                .include("issuer*")
                .exclude("issuer_audit"));
    restore.restore();
    assertEquals(
        Set.of("issuers", "old.keys.copy", "old.trust_overrides.copy"), tallies("drill").keySet());
    assertEquals(original.get("issuer_keys"), tallies("drill").get("old.keys.copy"));
  }

  @Test
  void renaming_two_into_one_or_into_another_database_is_refused_before_anything_is_touched()
      throws Exception {
    var two =
        assertThrows(
            BackupException.Target.class,
            () ->
                harness(
                        target("drill")
                            .rename(DB + ".issuers", "drill.x")
                            .rename(DB + ".issuer_keys", "drill.x"))
                    .stage());
    assertEquals(MongoFailure.NOT_RESTORABLE, two.code());
    MongoTarget elsewhere = target("drill").rename(DB + ".*", "other.*");
    assertFalse(harness(elsewhere).plan().isPossible());
    assertThrows(BackupException.Target.class, () -> harness(elsewhere).stage());
    assertThrows(IllegalArgumentException.class, () -> target("drill").rename("a.*", "b.c"));
    assertEquals(Map.of(), tallies("drill"));
  }

  @Test
  void every_refused_document_of_every_collection_is_counted_and_the_first_are_named()
      throws Exception {
    List<BsonDocument> documents = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      documents.add(document(i % 280));
    }
    CollectionSpec keys = TestArchive.collection("keys", "{}");
    Captured twice =
        register(TestArchive.of("db", List.of(keys), documents.toArray(new BsonDocument[0])));
    RestoreHarness restore = RestoreHarness.of(target("drill").pace(SMALL), twice);
    var e = assertThrows(BackupException.Target.class, restore::restore);
    assertEquals(MongoFailure.INSERT_FAILED, e.code());
    assertTrue(e.getMessage().contains("drill.keys: 20 of 300 documents"), e.getMessage());
    assertTrue(e.getMessage().contains("_id BsonInt32{value=0}: code 11000"), e.getMessage());
    assertEquals(Map.of(), tallies("drill"));
  }

  @Test
  void a_unique_index_that_documents_break_is_named_with_their_keys() throws Exception {
    CollectionSpec keys =
        new CollectionSpec(
            "keys",
            "collection",
            new BsonDocument(),
            List.of(
                BsonDocument.parse("{v: 2, key: {_id: 1}, name: '_id_'}"),
                BsonDocument.parse("{v: 2, key: {k: 1}, name: 'by k', unique: true}")),
            "");
    Captured broken =
        register(
            TestArchive.of(
                "db",
                List.of(keys),
                document(1).append("k", new BsonInt32(7)),
                document(2).append("k", new BsonInt32(7))));
    var e =
        assertThrows(
            BackupException.Target.class,
            () -> RestoreHarness.of(target("drill"), broken).restore());
    assertEquals(MongoFailure.INDEX_REFUSED, e.code());
    assertTrue(e.getMessage().contains("drill.keys"), e.getMessage());
    assertTrue(e.getMessage().contains("7"), e.getMessage());
    assertEquals(Map.of(), tallies("drill"));
  }

  @Test
  void a_restored_database_is_the_same_and_one_that_lacks_a_document_is_not() throws Exception {
    harness(target("drill")).restore();
    server.database("drill").getCollection("issuer_trust_overrides").drop();
    server.database("drill").getCollection("issuers").deleteOne(new Document("_id", 3));
    server.database("drill").getCollection("issuer_keys").dropIndex("by n");
    server.database("drill").createCollection("more");
    MongoVerification found =
        MongoVerifier.of(server.client(), "drill")
            .compareArchive(captured.open(ArtifactName.of(DB + ".archive")), Stopping.never());
    Map<String, MongoVerification.Verdict> verdicts = new TreeMap<>();
    found.collections().forEach(c -> verdicts.put(c.namespace(), c.verdict()));
    assertEquals(
        Map.of(
            "drill.issuer_audit", MongoVerification.Verdict.SAME,
            "drill.issuer_keys", MongoVerification.Verdict.DEFINITION_DIFFERS,
            "drill.issuer_trust_overrides", MongoVerification.Verdict.MISSING,
            "drill.issuers", MongoVerification.Verdict.CONTENT_DIFFERS),
        verdicts);
    assertEquals(List.of("more"), found.extra());
    assertFalse(found.isSame());
    var meta =
        MongoVerifier.of(server.client(), DB)
            .compareMeta(captured.open(ArtifactName.of("mongo-meta.bson")), Stopping.never());
    assertTrue(meta.isSame(), meta.findings().toString());
    var manifest =
        MongoVerifier.of(server.client(), "drill").compare(captured.source(), Stopping.never());
    assertTrue(
        manifest.findings().stream()
            .anyMatch(
                f ->
                    f.subject().equals("drill.issuers")
                        && f.found().startsWith("expected 250 documents")
                        && f.found().contains("found 249 documents")),
        manifest.findings().toString());
  }

  @Test
  void a_missing_document_fails_the_expected_count_and_a_server_without_validate_is_not_ok()
      throws Exception {
    MongoIntegrity counts = MongoIntegrity.standard().equalsManifest(captured.source());
    var good = counts.check(server.client(), DB, Stopping.never());
    assertTrue(good.isSound(), good.findings().toString());
    assertEquals(4, good.invariants());
    server.database(DB).getCollection("issuers").deleteOne(new Document("_id", 3));
    var bad = counts.check(server.client(), DB, Stopping.never());
    assertFalse(bad.isSound());
    assertTrue(
        bad.findings().stream()
            .anyMatch(f -> f.found().equals("expected 250 documents, found 249")),
        bad.findings().toString());
    RestoreHarness restore =
        harness(target("drill").provenBy(MongoIntegrity.standard().expect("issuers", 999)));
    var e = assertThrows(BackupException.Target.class, restore::restore);
    assertEquals(MongoFailure.INTEGRITY_BROKEN, e.code());
    assertEquals(Map.of(), tallies("drill"));
  }

  /** Registered as they are, so that nothing but the archive's own checks can find the damage. */
  @Test
  void every_flip_and_every_truncation_of_an_archive_leaves_the_server_untouched()
      throws Exception {
    byte[] archive =
        TestArchive.of("db", List.of(TestArchive.collection("k", "{}")), document(1), document(2));
    int prelude = preludeBytes(archive);
    List<String> commands = new ArrayList<>();
    try (MongoClient client = server.connect(e -> commands.add(e.getCommandName()))) {
      for (int i = 0; i < archive.length; i++) {
        requireUntouched(client, Arrays.copyOf(archive, i), "truncate " + i);
        if (i < 4 || i >= prelude) {
          requireUntouched(client, flipped(archive, i), "flip " + i);
        }
      }
      byte[] zipped = gzip(archive);
      for (int i = 0; i < zipped.length; i++) {
        requireUntouched(client, Arrays.copyOf(zipped, i), "truncate gzip " + i);
        if (i < GZIP_FLAGS || i >= GZIP_HEADER) {
          requireUntouched(client, flipped(zipped, i), "flip gzip " + i);
        }
      }
    }
    assertEquals(List.of(), commands);
  }

  /**
   * What no checksum covers may change an option, and never a document. A server of its own, for
   * this one cannot drop a collection whose index on {@code _id} has another name.
   */
  @Test
  void a_flip_in_the_prelude_without_a_side_artifact_never_changes_a_document() throws Exception {
    byte[] archive =
        TestArchive.of("db", List.of(TestArchive.collection("k", "{}")), document(1), document(2));
    RestoreHarness.of(target("drill"), register(archive)).restore();
    List<Tally> expected = List.copyOf(tallies("drill").values());
    int restored = 0;
    try (WireServer own = WireServer.start()) {
      for (int i = 4; i < preludeBytes(archive); i++) {
        String db = "flip-" + i;
        MongoTarget target = MongoTarget.into(own.client(), db);
        try {
          RestoreHarness.of(target, register(flipped(archive, i))).restore();
          Map<String, Tally> found = SampleData.tallies(own.client(), db);
          assertEquals(expected, List.copyOf(found.values()), db);
          restored++;
        } catch (BackupException e) {
          assertFalse(e.code().code().isEmpty());
        }
      }
    }
    assertTrue(restored > 0, "it is said that an option may change");
  }

  private void requireUntouched(MongoClient client, byte[] archive, String how) throws IOException {
    RestoreHarness restore =
        RestoreHarness.of(MongoTarget.into(client, "drill"), register(archive));
    assertThrows(BackupException.class, restore::stage, how);
  }

  private static byte[] flipped(byte[] bytes, int at) {
    byte[] copy = bytes.clone();
    copy[at] ^= 1;
    return copy;
  }

  /** Magic, documents and the terminator behind them. */
  private static int preludeBytes(byte[] archive) {
    ByteBuffer buffer = ByteBuffer.wrap(archive).order(ByteOrder.LITTLE_ENDIAN);
    int at = Integer.BYTES;
    while (buffer.getInt(at) != -1) {
      at += buffer.getInt(at);
    }
    return at + Integer.BYTES;
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream zip = new GZIPOutputStream(out)) {
      zip.write(bytes);
    }
    return out.toByteArray();
  }

  private static MongoTarget target(String database) {
    return MongoTarget.into(server.client(), database);
  }

  private RestoreHarness harness(MongoTarget target) {
    return RestoreHarness.of(target, captured);
  }

  private Captured register(byte[] archive) throws IOException {
    Path file = directory.resolve("made.archive");
    Files.write(file, archive);
    return CaptureHarness.of(new UnverifiedArchive(file)).capture();
  }

  private static BsonDocument document(int id) {
    return new BsonDocument("_id", new BsonInt32(id));
  }

  private static List<FailureCode> codes(RestoreHarness restore) {
    return restore.findings().stream().map(Finding::code).toList();
  }

  private static Map<String, Tally> tallies(String database) throws IOException {
    return SampleData.tallies(server.client(), database);
  }
}
