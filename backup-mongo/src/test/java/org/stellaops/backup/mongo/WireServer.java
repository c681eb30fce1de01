package org.stellaops.backup.mongo;

import com.mongodb.MongoClientSettings;
import com.mongodb.ServerAddress;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoDatabase;
import com.mongodb.event.CommandListener;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * mongo-java-server on loopback, with a client: byte-exact for plain data, indexes and cursors. It
 * drops options of collections, turns views into collections and knows no sessions, so nothing
 * about those is tested on it.
 */
final class WireServer implements AutoCloseable {
  private final MongoServer server;
  private final InetSocketAddress address;
  private final MongoClient client;

  private WireServer(MemoryBackend backend) {
    backend.version(ServerVersion.MONGO_5_0);
    server = new MongoServer(backend);
    address = server.bind();
    client = connect(event -> {});
  }

  static WireServer start() {
    return new WireServer(new MemoryBackend());
  }

  static WireServer start(MemoryBackend backend) {
    return new WireServer(backend);
  }

  MongoClient client() {
    return client;
  }

  MongoDatabase database(String name) {
    return client.getDatabase(name);
  }

  String hostAndPort() {
    return "127.0.0.1:" + address.getPort();
  }

  String connectionString() {
    return "mongodb://" + hostAndPort();
  }

  /** Another client, whose caller closes it. */
  MongoClient connect(Started listener) {
    return MongoClients.create(
        MongoClientSettings.builder()
            .applyToClusterSettings(
                c -> c.hosts(List.of(new ServerAddress("127.0.0.1", address.getPort()))))
            .addCommandListener(
                new CommandListener() {
                  @Override
                  public void commandStarted(com.mongodb.event.CommandStartedEvent event) {
                    listener.started(event);
                  }
                })
            .build());
  }

  /** Hears of commands before they are sent. */
  @FunctionalInterface
  interface Started {
    void started(com.mongodb.event.CommandStartedEvent event);
  }

  @Override
  public void close() {
    client.close();
    server.shutdownNow();
  }
}
