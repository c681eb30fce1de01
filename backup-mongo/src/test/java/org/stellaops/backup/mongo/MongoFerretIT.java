package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.bson.BsonDocument;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** The contract on FerretDB, and archives of ours and of mongodump that change places there. */
@Tag("interop")
class MongoFerretIT extends RoundTripContract {
  @TempDir private static Path directory;
  private static FerretServer server;

  @BeforeAll
  static void start() throws IOException {
    server = FerretServer.start(directory);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Override
  MongoClient client() {
    return server.client();
  }

  /** Without indexes: it asks for options of them that this server does not know. */
  @Test
  void mongorestore_restores_our_archive() throws Exception {
    Map<String, Tally> before = tallies(DB);
    Path archive = directory.resolve("ours.archive");
    Files.write(archive, capture().bytes(DB + ".archive"));
    client().getDatabase(DB).drop();

    String printed =
        Program.run(
            directory,
            "mongorestore",
            "--uri=" + server.connectionString(),
            "--archive=" + archive,
            "--noIndexRestore",
            "--stopOnError");

    assertTrue(printed.contains("2450 document(s) restored successfully"), printed);
    assertEquals(before, tallies(DB), printed);
  }

  @Test
  void we_restore_what_mongodump_wrote() throws Exception {
    Map<String, Tally> before = tallies(DB);
    Map<String, BsonDocument> indexesBefore = SampleData.indexes(client(), DB);
    Path archive = directory.resolve("theirs.archive.gz");
    Program.run(
        directory,
        "mongodump",
        "--uri=" + server.connectionString(),
        "--db=" + DB,
        "--gzip",
        "--archive=" + archive);
    Captured registered = CaptureHarness.of(MongoArchiveSource.of(archive)).capture();

    RestoreHarness.of(MongoTarget.into(client(), "drill"), registered).restore();

    assertEquals(before, tallies("drill"));
    assertEquals(indexesBefore, SampleData.indexes(client(), "drill"));
  }
}
