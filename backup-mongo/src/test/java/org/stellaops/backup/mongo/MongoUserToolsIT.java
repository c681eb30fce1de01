package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.mongo.MongoTarget.UsersAndRoles;
import org.stellaops.backup.mongo.fixture.MongodSim;
import org.stellaops.backup.mongo.fixture.Scram;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** Users, roles and whole servers between mongodump, mongorestore and us. */
@Tag("interop")
class MongoUserToolsIT {
  private static final String DB = UserFixture.DB;

  @TempDir private Path directory;

  private MongodSim sim;
  private MongodSim other;
  private MongoClient target;

  @BeforeEach
  void start() {
    sim = MongodSim.replicaSet();
    other = MongodSim.replicaSet();
    target = other.client();
    UserFixture.fill(sim.client());
  }

  @AfterEach
  void stop() {
    sim.close();
    other.close();
  }

  private void requireSame(String database) {
    for (String collection : List.of("system.users", "system.roles")) {
      assertEquals(
          UserFixture.of(sim.client(), collection, database),
          UserFixture.of(target, collection, database));
    }
  }

  @Test
  void mongorestore_restores_users_and_roles_of_our_archive() throws Exception {
    Captured captured =
        CaptureHarness.of(MongoSource.database(sim.client(), DB).usersAndRoles()).capture();
    Path archive = directory.resolve("ours.archive");
    Files.write(archive, captured.bytes(DB + ".archive"));
    String printed =
        Program.run(
            directory,
            "mongorestore",
            "--uri=" + other.connectionString(),
            "--archive=" + archive,
            "--db=" + DB,
            "--restoreDbUsersAndRoles",
            "--stopOnError");
    requireSame(DB);
    assertTrue(Scram.opens(UserFixture.user(target, DB, "app"), UserFixture.PASSWORD), printed);
    assertEquals(1, target.getDatabase(DB).getCollection("orders").countDocuments());
  }

  @Test
  void mongorestore_leaves_users_and_roles_of_our_archive_alone_when_not_asked() throws Exception {
    Captured captured =
        CaptureHarness.of(MongoSource.database(sim.client(), DB).usersAndRoles()).capture();
    Path archive = directory.resolve("ours.archive");
    Files.write(archive, captured.bytes(DB + ".archive"));
    String printed =
        Program.run(
            directory,
            "mongorestore",
            "--uri=" + other.connectionString(),
            "--archive=" + archive,
            "--nsInclude=" + DB + ".*",
            "--stopOnError");
    assertTrue(printed.contains("1 document(s) restored successfully"), printed);
    assertEquals(List.of(), UserFixture.of(target, "system.users", DB));
  }

  @Test
  void we_restore_users_and_roles_that_mongodump_wrote() throws Exception {
    Path archive = directory.resolve("theirs.archive");
    Program.run(
        directory,
        "mongodump",
        "--uri=" + sim.connectionString(),
        "--db=" + DB,
        "--dumpDbUsersAndRoles",
        "--archive=" + archive);
    Captured registered = CaptureHarness.of(MongoArchiveSource.of(archive)).capture();
    assertTrue(registered.bytes("mongo-meta.bson").length > 0);
    RestoreHarness.of(MongoTarget.into(target, DB).usersAndRoles(UsersAndRoles.ADD), registered)
        .restore();
    requireSame(DB);
    assertEquals(DatabaseState.now(sim.client(), DB), DatabaseState.now(target, DB));
  }

  @Test
  void we_restore_a_whole_server_that_mongodump_wrote() throws Exception {
    sim.client().getDatabase("issuers").getCollection("keys").insertOne(new Document("_id", 1));
    sim.client().getDatabase("issuers").getCollection("keys").createIndex(new Document("n", 1));
    Path archive = directory.resolve("theirs.archive.gz");
    Program.run(
        directory,
        "mongodump",
        "--uri=" + sim.connectionString(),
        "--gzip",
        "--archive=" + archive);
    Captured registered = CaptureHarness.of(MongoArchiveSource.of(archive)).capture();
    RestoreHarness.of(MongoTarget.instance(target).usersAndRoles(UsersAndRoles.ADD), registered)
        .restore();
    for (String database : List.of(DB, "issuers")) {
      requireSame(database);
      assertEquals(DatabaseState.now(sim.client(), database), DatabaseState.now(target, database));
    }
  }
}
