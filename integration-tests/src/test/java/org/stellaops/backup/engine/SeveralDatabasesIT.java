package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.mongo.Consistency;
import org.stellaops.backup.mongo.MongoSource;
import org.stellaops.backup.mongo.MongoTarget;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.postgres.PostgresSource;
import org.stellaops.backup.postgres.PostgresTarget;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.testkit.MemorySink;

/** One PostgreSQL cluster and two MongoDB databases, all of the component "database". */
class SeveralDatabasesIT {
  private static final SnapshotRef WHOLE = SnapshotRef.named("whole");

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private MongoServer mongo;
  private MongoClient client;
  private PostgresServer postgres;
  private AgeIdentity owner;
  private BackupEngine engine;

  @BeforeEach
  void oneSnapshotOfAll() throws Exception {
    mongo = new MongoServer(new MemoryBackend().version(ServerVersion.MONGO_5_0));
    client = MongoClients.create("mongodb://127.0.0.1:" + mongo.bind().getPort());
    insert("issuers", "vendor-a");
    insert("advisories", "advisory-1");
    postgres = PostgresServer.start(15, root.resolve("cluster"));
    sql(postgres, "CREATE TABLE bundles AS SELECT 7 AS id");
    owner = AgeIdentity.generate();
    Host host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    engine =
        host.with(
                host.plan(sink)
                    .source("cluster", PostgresSource.physical(postgres.connection()))
                    .source(
                        "issuer-directory",
                        MongoSource.database(client, "issuers").require(Consistency.NONE))
                    .source(
                        "advisories",
                        MongoSource.database(client, "advisories").require(Consistency.NONE))
                    .build())
            .open();
    engine.backup(BackupRequest.full().named("whole"));
  }

  @AfterEach
  void stopAll() throws Exception {
    engine.close();
    owner.close();
    postgres.close();
    client.close();
    mongo.shutdownNow();
    sink.assertNothingOpen();
  }

  private void insert(String database, String id) {
    client.getDatabase(database).getCollection("things").insertOne(new Document("_id", id));
  }

  private List<String> ids(String database) {
    List<String> ids = new ArrayList<>();
    client
        .getDatabase(database)
        .getCollection("things")
        .find()
        .forEach(d -> ids.add(d.getString("_id")));
    ids.sort(null);
    return ids;
  }

  private static void sql(PostgresServer server, String command) throws Exception {
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement()) {
      statement.execute(command);
    }
  }

  private void restore(RestoreRequest request) throws BackupException {
    RestorePlan plan = engine.planRestore(request.with(owner));
    assertTrue(plan.isPossible(), plan.describe());
    engine.restore(plan, Confirmation.of(plan.digest()));
  }

  @Test
  void database_alone_is_no_name_and_every_candidate_is_listed() throws Exception {
    assertAmbiguous(() -> engine.backup(BackupRequest.full().only("database")));
    assertAmbiguous(
        () -> engine.planRestore(RestoreRequest.of(WHOLE).only("database").with(owner)));
    assertEquals(1, engine.catalog().list(SnapshotFilter.all()).size());
  }

  private static void assertAmbiguous(Executable call) {
    var refused = assertThrows(BackupException.Refused.class, call);
    assertEquals(CoreFailure.AMBIGUOUS, refused.code());
    for (String candidate : List.of("cluster", "issuer-directory", "advisories")) {
      assertTrue(refused.getMessage().contains("database/" + candidate), refused.getMessage());
    }
  }

  @Test
  void one_of_two_mongo_databases_is_restored_and_the_other_stays_as_it_is() throws Exception {
    client.getDatabase("issuers").drop();
    insert("advisories", "advisory-2");
    restore(
        RestoreRequest.of(WHOLE)
            .only("database/issuer-directory")
            .target("issuer-directory", MongoTarget.into(client, "issuers")));
    assertEquals(List.of("vendor-a"), ids("issuers"));
    assertEquals(List.of("advisory-1", "advisory-2"), ids("advisories"));
  }

  @Test
  void the_cluster_is_restored_by_its_name_and_starts() throws Exception {
    Path data = root.resolve("restored");
    restore(
        RestoreRequest.of(WHOLE).only("cluster").target("cluster", PostgresTarget.directory(data)));
    assertTrue(Files.exists(data.resolve("PG_VERSION")));
    try (PostgresServer restored = PostgresServer.start(15, data)) {
      sql(restored, "DO $$ BEGIN ASSERT (SELECT id FROM bundles) = 7; END $$");
    }
    assertEquals(List.of("vendor-a"), ids("issuers"));
  }

  @Test
  void a_source_is_backed_up_by_its_path() throws Exception {
    BackupReport report = engine.backup(BackupRequest.full().only("database/advisories"));
    assertEquals(
        List.of("advisories"), report.captures().stream().map(c -> c.source().value()).toList());
  }
}
