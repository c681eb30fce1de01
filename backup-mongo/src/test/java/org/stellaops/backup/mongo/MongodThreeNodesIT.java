package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.mongodb.MongoException;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bson.RawBsonDocument;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;
import org.testcontainers.junit.jupiter.Testcontainers;

/** What the simulator shows of elections, of three mongod that hold them. */
@Tag("docker")
@Testcontainers(disabledWithoutDocker = true)
@ParameterizedClass
@ValueSource(strings = {"mongo:5", "mongo:6", "mongo:7", "mongo:8"})
class MongodThreeNodesIT {
  private static final int ELECTIONS = 5;
  private static MongodSet set;
  private static MongoClient client;

  MongodThreeNodesIT(String image) {}

  @BeforeParameterizedClassInvocation
  static void start(String image) throws Exception {
    set = MongodSet.of(image, 3);
    client = set.connect();
  }

  @AfterParameterizedClassInvocation
  static void stop() {
    client.close();
    set.close();
  }

  @Test
  void an_election_in_the_middle_leaves_a_consistent_capture_or_none() throws Exception {
    client.getDatabase(Orders.DB).drop();
    Orders orders = new Orders(client);
    orders.fill(2_000);
    AtomicBoolean isOver = new AtomicBoolean();
    CompletableFuture<Void> writer = CompletableFuture.runAsync(() -> write(orders, isOver));
    try {
      for (int run = 0; run < ELECTIONS; run++) {
        CompletableFuture<Void> election = CompletableFuture.runAsync(() -> set.stepDown(client));
        try {
          restoreWithoutOrphans();
        } catch (BackupException.Source e) {
          assertNotNull(e.code());
        }
        election.join();
        restoreWithoutOrphans();
      }
    } finally {
      isOver.set(true);
      writer.join();
    }
  }

  private static void write(Orders orders, AtomicBoolean isOver) {
    while (!isOver.get()) {
      try {
        orders.writeTogether();
      } catch (MongoException e) {
        // The transaction that an election ended: all of it or nothing is there.
      }
    }
  }

  private static void restoreWithoutOrphans() throws Exception {
    Captured captured = CaptureHarness.of(MongoSource.database(client, Orders.DB)).capture();
    assertEquals("SNAPSHOT", captured.source().properties().get("consistency"));
    client.getDatabase("drill").drop();
    RestoreHarness.of(MongoTarget.into(client, "drill"), captured).restore();
    assertEquals(List.of(), Orders.orphans(documents("drill"), true));
  }

  private static Map<String, List<RawBsonDocument>> documents(String database) {
    MongoDatabase restored = client.getDatabase(database);
    Map<String, List<RawBsonDocument>> documents = new TreeMap<>();
    for (String name : restored.listCollectionNames()) {
      documents.put(
          name, restored.getCollection(name, RawBsonDocument.class).find().into(new ArrayList<>()));
    }
    return documents;
  }
}
