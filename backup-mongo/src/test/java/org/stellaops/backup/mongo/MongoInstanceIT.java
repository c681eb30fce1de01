package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.MongoTarget.UsersAndRoles;
import org.stellaops.backup.mongo.fixture.MongodSim;
import org.stellaops.backup.mongo.fixture.Scram;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.archive.TestArchive;
import org.stellaops.backup.spi.RestorePlanning.Undo;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;
import org.stellaops.backup.testkit.RestorePlanned;

/** An archive of a whole server, as {@code mongodump --archive} writes it. */
class MongoInstanceIT {
  @TempDir private Path directory;

  private MongodSim sim;
  private MongoClient client;

  @BeforeEach
  void start() {
    sim = MongodSim.replicaSet();
    client = sim.client();
  }

  @AfterEach
  void stop() {
    sim.close();
  }

  private static List<BsonDocument> numbered(int documents) {
    List<BsonDocument> all = new ArrayList<>();
    for (int i = 0; i < documents; i++) {
      all.add(new BsonDocument("_id", new BsonInt32(i)));
    }
    return all;
  }

  private static Map<Namespace, List<? extends BsonDocument>> contents() {
    Map<Namespace, List<? extends BsonDocument>> contents = new LinkedHashMap<>();
    contents.put(new Namespace("admin", "system.version"), numbered(1));
    contents.put(new Namespace("config", "settings"), numbered(1));
    contents.put(new Namespace("issuers", "keys"), numbered(3));
    contents.put(new Namespace("issuers", "audit"), numbered(40));
    contents.put(new Namespace("shop", "orders"), numbered(5));
    return contents;
  }

  private Captured registered(Map<Namespace, List<? extends BsonDocument>> contents)
      throws IOException {
    Path file = directory.resolve("instance");
    Files.write(file, TestArchive.of(contents));
    return CaptureHarness.of(MongoArchiveSource.of(file)).capture();
  }

  private long count(String database, String collection) {
    return client.getDatabase(database).getCollection(collection).countDocuments();
  }

  private List<String> databases() {
    TreeSet<String> names = client.listDatabaseNames().into(new TreeSet<>());
    names.removeAll(List.of("admin", "config", "local"));
    return List.copyOf(names);
  }

  @Test
  void all_databases_come_back_and_what_is_the_servers_own_is_told() throws Exception {
    RestoreHarness harness =
        RestoreHarness.of(MongoTarget.instance(client), registered(contents()));
    RestorePlanned planned = harness.restore();
    assertEquals(Undo.REMOVE, planned.undo());
    assertEquals(List.of("issuers", "shop"), databases());
    assertEquals(3, count("issuers", "keys"));
    assertEquals(40, count("issuers", "audit"));
    assertEquals(5, count("shop", "orders"));
    assertEquals(
        List.of("admin.system.version, config.settings"),
        harness.findings().stream()
            .filter(f -> f.code() == MongoFailure.NOT_SELECTED)
            .map(Finding::found)
            .toList());
    assertEquals("/", harness.endpoint().orElseThrow().uri().getPath());
  }

  @Test
  void chosen_databases_come_back_under_names_that_rules_lead_to() throws Exception {
    Captured captured = registered(contents());
    RestoreHarness.of(MongoTarget.instance(client).only("shop"), captured).restore();
    assertEquals(List.of("shop"), databases());
    RestoreHarness.of(
            MongoTarget.instance(client).only("issuers").rename("issuers.*", "drill.*"), captured)
        .restore();
    assertEquals(List.of("drill", "shop"), databases());
    assertEquals(40, count("drill", "audit"));
    RestoreHarness.of(MongoTarget.into(client, "one").only("issuers"), captured).restore();
    assertEquals(List.of("drill", "one", "shop"), databases());
    assertEquals(3, count("one", "keys"));
    RestoreHarness.of(MongoTarget.instance(client).existing(Existing.SHADOW), captured).restore();
    assertEquals(List.of("drill", "issuers", "one", "shop"), databases());
  }

  @Test
  void what_cannot_be_told_apart_is_refused_before_anything_is_written() throws Exception {
    Captured captured = registered(contents());
    refused(MongoTarget.into(client, "one"), captured, "MongoTarget.only chooses one");
    refused(MongoTarget.into(client, "one").only("nothing"), captured, "no database nothing");
    refused(MongoTarget.into(client, "one").only("shop", "issuers"), captured, "all become");
    refused(MongoTarget.instance(client).only("shop", "nothing"), captured, "[nothing]");
    refused(MongoTarget.instance(client).rename("shop.*", "issuers.*"), captured, "both become");
    refused(
        MongoTarget.instance(client).rename("issuers.keys", "one.keys"), captured, "go to several");
    Map<Namespace, List<? extends BsonDocument>> torn = contents();
    torn.put(Namespace.OPLOG, numbered(1));
    refused(MongoTarget.instance(client), registered(torn), "is no one state without");
    assertEquals(List.of(), databases());
  }

  private static void refused(MongoTarget target, Captured captured, String why) {
    RestoreHarness harness = RestoreHarness.of(target, captured);
    var e = assertThrows(BackupException.Target.class, harness::stage);
    assertEquals(MongoFailure.NOT_RESTORABLE, e.code());
    assertTrue(e.getMessage().contains(why), e.getMessage());
    assertThrows(BackupException.Target.class, harness::publish);
  }

  @Test
  void a_database_that_is_not_empty_stops_all_of_them() throws Exception {
    client.getDatabase("shop").getCollection("old").insertOne(new Document());
    RestoreHarness harness =
        RestoreHarness.of(MongoTarget.instance(client), registered(contents()));
    assertFalse(harness.plan().isPossible());
    assertThrows(BackupException.Refused.class, harness::restore);
    assertEquals(List.of("shop"), databases());
  }

  @Test
  void one_that_fails_takes_back_those_before_it() throws Exception {
    RestoreHarness harness =
        RestoreHarness.of(MongoTarget.instance(client), registered(contents()));
    sim.faults().fail("insert shop.orders", 100, 121, "DocumentValidationFailure", "no");
    assertThrows(BackupException.Target.class, harness::restore);
    assertEquals(List.of(), databases());
    sim.faults().clear();
    harness.restore();
    assertEquals(List.of("issuers", "shop"), databases());
  }

  @Test
  void users_of_each_database_come_with_it() throws Exception {
    try (MongodSim source = MongodSim.replicaSet()) {
      UserFixture.fill(source.client());
      Map<Namespace, List<? extends BsonDocument>> contents = contents();
      List<BsonDocument> all = new ArrayList<>();
      for (String database : List.of("admin", "shop")) {
        all.addAll(UserFixture.of(source.client(), "system.users", database));
      }
      contents.put(new Namespace("admin", "system.users"), all);
      contents.put(
          new Namespace("admin", "system.roles"),
          UserFixture.of(source.client(), "system.roles", "shop"));
      RestoreHarness.of(
              MongoTarget.instance(client).usersAndRoles(UsersAndRoles.ADD), registered(contents))
          .restore();
      assertTrue(Scram.opens(UserFixture.user(client, "shop", "app"), UserFixture.PASSWORD));
      assertEquals(List.of(), UserFixture.of(client, "system.users", "admin"));
    }
  }
}
