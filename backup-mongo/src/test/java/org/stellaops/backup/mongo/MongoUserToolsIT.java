package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.Filters;
import com.mongodb.client.model.Updates;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
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

  /** Documents are written, and come and go, while mongodump reads. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void we_make_of_a_dump_with_its_oplog_what_mongorestore_makes_of_it(boolean isGzip)
      throws Exception {
    Orders orders = new Orders(sim.client());
    orders.fill(2_000);
    MongoDatabase written = sim.client().getDatabase(Orders.DB);
    written.getCollection("issuers").createIndex(new Document("name", 1));
    AtomicInteger reads = new AtomicInteger();
    for (String read : List.of("find " + Orders.DB, "getMore " + Orders.DB, "find " + DB)) {
      sim.faults().before(read, c -> writeDuringTheDump(orders, reads.incrementAndGet()));
    }
    Path archive = directory.resolve("theirs.archive");
    List<String> command =
        new ArrayList<>(
            List.of(
                "mongodump", "--uri=" + sim.connectionString(), "--oplog", "--archive=" + archive));
    if (isGzip) {
      command.add("--gzip");
    }
    Program.run(directory, command.toArray(String[]::new));
    sim.faults().clear();
    assertTrue(reads.get() >= 2, reads + " reads");

    Captured registered = CaptureHarness.of(MongoArchiveSource.of(archive)).capture();
    assertEquals("OPLOG_FENCED", registered.source().properties().get("consistency"));
    RestoreHarness.of(MongoTarget.instance(target), registered).restore();
    try (MongodSim theirs = MongodSim.replicaSet()) {
      Path plain = directory.resolve("plain.archive");
      Files.write(plain, registered.bytes("instance.archive"));
      Program.run(
          directory,
          "mongorestore",
          "--uri=" + theirs.connectionString(),
          "--archive=" + plain,
          "--oplogReplay",
          "--stopOnError");
      for (String database : List.of(DB, Orders.DB, "fresh")) {
        Map<String, List<String>> ours = DatabaseState.now(target, database);
        assertEquals(DatabaseState.now(sim.client(), database), ours, database);
        assertEquals(DatabaseState.now(theirs.client(), database), ours, database);
      }
    }
    RestoreHarness.of(MongoTarget.into(target, "copy").only(Orders.DB), registered).restore();
    assertEquals(DatabaseState.now(sim.client(), Orders.DB), DatabaseState.now(target, "copy"));
  }

  private void writeDuringTheDump(Orders orders, int read) {
    MongoDatabase database = sim.client().getDatabase(Orders.DB);
    orders.writeTogether();
    orders.writeInOrder();
    database
        .getCollection("issuers")
        .updateMany(Filters.lt("_id", 50), Updates.set("changed.in", read));
    database.getCollection("issuers").deleteOne(Filters.eq("_id", 1_000 + read));
    database.getCollection("later").insertOne(new Document("_id", read));
    if (read == 2) {
      database.getCollection("later").createIndex(new Document("x", 1));
    }
    sim.client().getDatabase("fresh").getCollection("c").insertOne(new Document("_id", read));
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
