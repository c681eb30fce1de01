package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.bson.BsonDocument;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoTarget.UsersAndRoles;
import org.stellaops.backup.mongo.fixture.MongodSim;
import org.stellaops.backup.mongo.fixture.Scram;
import org.stellaops.backup.spi.RestorePlanning.Undo;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** Users and roles of a database, from one server to another. */
class MongoUsersIT {
  private static final String DB = UserFixture.DB;

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

  private Captured capture() throws IOException {
    return CaptureHarness.of(source()).capture();
  }

  private MongoSource source() {
    return MongoSource.database(sim.client(), DB).usersAndRoles();
  }

  private RestoreHarness restore(Captured captured, String into, UsersAndRoles how) {
    return RestoreHarness.of(MongoTarget.into(target, into).usersAndRoles(how), captured);
  }

  @Test
  void come_back_with_their_passwords_and_those_of_others_do_not() throws Exception {
    RestoreHarness restored = restore(capture(), DB, UsersAndRoles.ADD);
    restored.restore();
    for (String collection : List.of("system.users", "system.roles")) {
      assertEquals(
          UserFixture.of(sim.client(), collection, DB), UserFixture.of(target, collection, DB));
    }
    assertTrue(Scram.opens(UserFixture.user(target, DB, "app"), UserFixture.PASSWORD));
    assertFalse(Scram.opens(UserFixture.user(target, DB, "app"), "another"));
    assertEquals(List.of(), UserFixture.of(target, "system.users", "admin"));
    assertEquals(
        List.of("1 users and 1 roles, 1 and 1 of them new"),
        restored.findings().stream().map(Finding::found).toList());
    assertEquals(List.of("system.roles", "system.users", "system.version"), adminCollections());
  }

  private List<String> adminCollections() {
    return target.getDatabase("admin").listCollectionNames().into(new java.util.ArrayList<>());
  }

  @Test
  void that_a_killed_restore_left_are_told_to_whoever_may_see_them() throws Exception {
    Captured captured = capture();
    for (MongodSim server : List.of(sim, other)) {
      for (String left : List.of("stella.backup.users.gone", "stella.backup.roles.gone")) {
        server.client().getDatabase("admin").getCollection(left).insertOne(new Document("_id", 1));
      }
    }
    List<String> expected =
        List.of("admin: 2 collections: stella.backup.roles.gone, stella.backup.users.gone");
    assertEquals(expected, left(capture().findings()));
    RestoreHarness restored = RestoreHarness.of(MongoTarget.into(target, DB), captured);
    restored.restore();
    assertEquals(expected, left(restored.findings()));
    assertEquals(
        1, target.getDatabase("admin").getCollection("stella.backup.users.gone").countDocuments());

    RestoreHarness again = restore(captured, "gone", UsersAndRoles.ADD);
    again.restore();
    assertEquals(List.of(), left(again.findings()));
    assertEquals(List.of("system.roles", "system.users", "system.version"), adminCollections());

    sim.faults().fail("listCollections admin", 9, 13, "Unauthorized", "not authorized");
    assertEquals(List.of(), left(capture().findings()));
  }

  private static List<String> left(List<Finding> findings) {
    return findings.stream()
        .filter(f -> f.code() == MongoFailure.USERS_LEFT)
        .map(f -> f.subject() + ": " + f.found())
        .toList();
  }

  @Test
  void are_not_touched_unless_asked_for() throws Exception {
    RestoreHarness.of(MongoTarget.into(target, DB), capture()).restore();
    assertEquals(List.of(), UserFixture.of(target, "system.users", DB));
    Captured without = CaptureHarness.of(MongoSource.database(sim.client(), DB)).capture();
    assertFalse(text(without, DB + ".archive").contains("storedKey"));
    RestoreHarness unasked = restore(without, "drill", UsersAndRoles.ADD);
    assertFalse(unasked.plan().isPossible());
    var e = assertThrows(BackupException.Target.class, unasked::publish);
    assertEquals(MongoFailure.NOT_RESTORABLE, e.code());
  }

  private static String text(Captured captured, String artifact) throws IOException {
    return new String(captured.bytes(artifact), StandardCharsets.ISO_8859_1);
  }

  @Test
  void become_those_of_a_database_of_another_name() throws Exception {
    restore(capture(), "drill", UsersAndRoles.ADD).restore();
    BsonDocument app = UserFixture.user(target, "drill", "app");
    assertTrue(Scram.opens(app, UserFixture.PASSWORD));
    assertEquals("drill.app", app.getString("_id").getValue());
    assertNull(app.get("userId"));
    assertEquals(
        BsonDocument.parse(
                "{r: [{role: 'reader', db: 'drill'}, {role: 'clusterMonitor', db: 'admin'}]}")
            .get("r"),
        app.get("roles"));
    BsonDocument reader = UserFixture.of(target, "system.roles", "drill").get(0);
    assertEquals(
        BsonDocument.parse(
                "{p: [{resource: {db: 'drill', collection: 'orders'}, actions: ['find']}]}")
            .get("p"),
        reader.get("privileges"));
  }

  @Test
  void that_are_there_stay_or_are_replaced_as_asked() throws Exception {
    Captured captured = capture();
    UserFixture.createUser(target, DB, "app");
    UserFixture.createUser(target, DB, "newer");
    UserFixture.createUser(target, "admin", "root");
    List<BsonDocument> before = UserFixture.of(target, "system.users", DB);
    RestoreHarness added = restore(captured, DB, UsersAndRoles.ADD);
    added.restore();
    assertEquals(before, UserFixture.of(target, "system.users", DB));
    assertTrue(
        added.findings().stream()
            .anyMatch(f -> f.code() == MongoFailure.USER_KEPT && f.subject().equals("shop.app")));
    target.getDatabase(DB).drop();
    RestoreHarness replaced = restore(captured, DB, UsersAndRoles.REPLACE);
    assertEquals(Undo.IMPOSSIBLE, replaced.restore().undo());
    assertEquals(
        UserFixture.of(sim.client(), "system.users", DB),
        UserFixture.of(target, "system.users", DB));
    assertEquals(1, UserFixture.of(target, "system.users", "admin").size());
  }

  @Test
  void that_were_added_go_when_the_restore_is_taken_back() throws Exception {
    UserFixture.createUser(target, DB, "newer");
    RestoreHarness added = restore(capture(), DB, UsersAndRoles.ADD);
    added.stage();
    added.publish();
    assertEquals(2, UserFixture.of(target, "system.users", DB).size());
    added.rollBack();
    assertEquals(1, UserFixture.of(target, "system.users", DB).size());
    assertEquals(List.of(), UserFixture.of(target, "system.roles", DB));
    assertFalse(target.listDatabaseNames().into(new java.util.ArrayList<>()).contains(DB));
  }

  @Test
  void a_right_that_is_missing_is_named_before_and_during_a_capture() throws Exception {
    try (MongodSim denying = MongodSim.builder().denying("find admin.system.users").start()) {
      UserFixture.fill(denying.client());
      MongoSource source = MongoSource.database(denying.client(), DB).usersAndRoles();
      var e = assertThrows(BackupException.class, () -> CaptureHarness.of(source).capture());
      assertEquals(MongoFailure.NOT_PERMITTED, e.code());
      assertTrue(e.getMessage().contains("find on admin.system.users"), e.getMessage());
      assertTrue(e.getMessage().contains("role backup"), e.getMessage());
      CheckResult failed =
          CaptureHarness.checks(source).stream()
              .filter(c -> c.verdict() == CheckResult.Verdict.FAIL)
              .findFirst()
              .orElseThrow();
      assertTrue(failed.evidence().contains("find on admin.system.users"), failed.evidence());
    }
  }

  /** A server quotes the command that it refuses, and what was kept of passwords stands in it. */
  @Test
  void are_secrets_in_every_message() throws Exception {
    Captured captured = capture();
    BsonDocument app = UserFixture.user(sim.client(), DB, "app");
    String key =
        app.getDocument("credentials")
            .getDocument("SCRAM-SHA-256")
            .getString("storedKey")
            .getValue();
    assertTrue(text(captured, DB + ".archive").contains(key));
    assertFalse(text(captured, "mongo-meta.bson").contains(key));
    assertFalse(captured.source().toString().contains(key));
    assertFalse(captured.findings().toString().contains(key));
    other
        .faults()
        .fail(
            "insert admin.stella.backup.users.shop",
            1,
            13,
            "Unauthorized",
            "not authorized on admin to execute command { insert: \"stella.backup.users.shop\","
                + " documents: "
                + app.toJson());
    var e =
        assertThrows(
            BackupException.Target.class, () -> restore(captured, DB, UsersAndRoles.ADD).restore());
    StringWriter trace = new StringWriter();
    e.printStackTrace(new PrintWriter(trace));
    assertEquals(MongoFailure.NOT_PERMITTED, e.code());
    assertTrue(e.getMessage().contains("insert on admin.stella.backup.users.shop"), e.getMessage());
    assertFalse(trace.toString().contains(key), "a stored key in " + e.getMessage());
    assertFalse(adminCollections().stream().anyMatch(n -> n.startsWith("stella")));
  }

  @Test
  void that_a_server_did_not_take_over_end_the_restore() throws Exception {
    Captured captured = capture();
    other
        .faults()
        .before(
            "_mergeAuthzCollections",
            c -> target.getDatabase("admin").getCollection("stella.backup.users.shop").drop());
    var e =
        assertThrows(
            BackupException.Target.class, () -> restore(captured, DB, UsersAndRoles.ADD).restore());
    assertTrue(e.getMessage().contains("found others: shop.app"), e.getMessage());
    assertEquals(List.of(), UserFixture.of(target, "system.roles", DB));
    assertFalse(target.listDatabaseNames().into(new java.util.ArrayList<>()).contains(DB));
  }

  @Test
  void a_restore_whose_answers_are_lost_adds_each_once() throws Exception {
    Captured captured = capture();
    for (String command : List.of("insert admin", "drop admin", "_mergeAuthzCollections")) {
      other.faults().dropConnection(command, 1, 0);
    }
    restore(captured, DB, UsersAndRoles.ADD).restore();
    assertEquals(
        UserFixture.of(sim.client(), "system.users", DB),
        UserFixture.of(target, "system.users", DB));
    UserFixture.run(target, DB, new Document("dropUser", "app"));
  }
}
