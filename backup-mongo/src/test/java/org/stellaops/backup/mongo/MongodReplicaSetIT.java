package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bson.RawBsonDocument;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;
import org.testcontainers.junit.jupiter.Testcontainers;
import org.testcontainers.mongodb.MongoDBContainer;

/**
 * What {@link ConsistencyIT} shows of a simulated server, of mongod as a replica set of one node.
 */
@Tag("docker")
@Testcontainers(disabledWithoutDocker = true)
@ParameterizedClass
@CsvSource({
  "mongo:4.4, OPLOG_FENCED",
  "mongo:5, SNAPSHOT",
  "mongo:6, SNAPSHOT",
  "mongo:7, SNAPSHOT",
  "mongo:8, SNAPSHOT"
})
class MongodReplicaSetIT {
  private static final int RUNS = 50;
  private static MongoDBContainer mongod;
  private static MongoClient client;

  private final String level;

  MongodReplicaSetIT(String image, String level) {
    this.level = level;
  }

  @BeforeParameterizedClassInvocation
  static void start(String image) {
    mongod = new MongoDBContainer(image).withReplicaSet();
    mongod.start();
    client = MongoClients.create(mongod.getReplicaSetUrl());
  }

  @AfterParameterizedClassInvocation
  static void stop() {
    client.close();
    mongod.stop();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void what_is_written_together_comes_back_together(boolean isAtomic) throws Exception {
    client.getDatabase(Orders.DB).drop();
    Orders orders = new Orders(client);
    orders.fill(1_000);
    AtomicBoolean isOver = new AtomicBoolean();
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(
            () -> {
              while (!isOver.get()) {
                if (isAtomic) {
                  orders.writeTogether();
                } else {
                  orders.writeInOrder();
                }
              }
            });
    try {
      for (int run = 0; run < RUNS; run++) {
        int before = orders.written();
        Captured captured = CaptureHarness.of(MongoSource.database(client, Orders.DB)).capture();
        assertEquals(level, captured.source().properties().get("consistency"));
        assertTrue(orders.written() > before, "nobody wrote");
        client.getDatabase("drill").drop();
        RestoreHarness.of(MongoTarget.into(client, "drill"), captured).restore();
        assertEquals(List.of(), Orders.orphans(documents("drill"), isAtomic), "run " + run);
      }
    } finally {
      isOver.set(true);
      writer.join();
    }
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
