package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.bson.BsonDocument;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** Archives of ours read by mongorestore, and those of mongodump read by us. */
@Tag("interop")
class MongoToolsIT {
  private static final String DB = "issuer-directory";

  private static WireServer server;

  @TempDir private Path directory;

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
  void mongorestore_restores_our_archive() throws Exception {
    // given
    Map<String, Tally> before = SampleData.tallies(server.client(), DB);
    Map<String, BsonDocument> indexesBefore = SampleData.indexes(server.client(), DB);
    Captured captured = CaptureHarness.of(MongoSource.database(server.client(), DB)).capture();
    Path archive = directory.resolve("ours.archive");
    Files.write(archive, captured.bytes(DB + ".archive"));
    server.database(DB).drop();
    // when
    String printed =
        Program.run(
            directory,
            "mongorestore",
            "--uri=" + server.connectionString(),
            "--archive=" + archive,
            "--stopOnError");
    // then
    assertTrue(printed.contains("2450 document(s) restored successfully"), printed);
    assertEquals(before, SampleData.tallies(server.client(), DB), printed);
    assertEquals(indexesBefore, SampleData.indexes(server.client(), DB), printed);
  }

  @Test
  void bsondump_prints_the_side_artifact() throws Exception {
    Captured captured = CaptureHarness.of(MongoSource.database(server.client(), DB)).capture();
    Path meta = directory.resolve("mongo-meta.bson");
    Files.write(meta, captured.bytes("mongo-meta.bson"));
    String printed = Program.run(directory, "bsondump", meta.toString());
    assertTrue(printed.contains("5 objects found"), printed);
    assertTrue(printed.contains("\"documents\":{\"$numberLong\":\"1500\"}"), printed);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void we_verify_and_restore_what_mongodump_wrote(boolean isGzip) throws Exception {
    // given
    Map<String, Tally> before = SampleData.tallies(server.client(), DB);
    Map<String, BsonDocument> indexesBefore = SampleData.indexes(server.client(), DB);
    Path archive = directory.resolve("theirs.archive");
    Program.run(
        directory,
        "mongodump",
        "--uri=" + server.connectionString(),
        "--db=" + DB,
        "--archive=" + archive,
        isGzip ? "--gzip" : "--quiet");
    // when
    MongoArchive.Report report = verify(archive);
    server.database(DB).drop();
    Captured registered = CaptureHarness.of(MongoArchiveSource.of(archive)).capture();
    RestoreHarness.of(MongoTarget.into(server.client(), DB), registered).restore();
    // then
    assertEquals(SampleData.ISSUERS + SampleData.KEYS + SampleData.AUDIT, report.documents());
    for (MongoArchive.Content content : report.contents()) {
      Tally tally = before.get(content.collection());
      assertEquals(tally.documents(), content.documents(), content.namespace());
      assertEquals(tally.content(), content.content(), content.namespace());
    }
    assertEquals(before, SampleData.tallies(server.client(), DB));
    assertEquals(indexesBefore, SampleData.indexes(server.client(), DB));
  }

  private static MongoArchive.Report verify(Path archive) throws IOException {
    try (InputStream in = Files.newInputStream(archive)) {
      return MongoArchive.verify(in);
    }
  }
}
