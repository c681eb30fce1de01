package org.stellaops.backup.mongo;

import com.mongodb.client.MongoClient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract on a server that speaks the wire protocol in this JVM. */
class MongoRoundTripIT extends RoundTripContract {
  private static WireServer server;

  @BeforeAll
  static void start() {
    server = WireServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Override
  MongoClient client() {
    return server.client();
  }
}
