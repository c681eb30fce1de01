package org.stellaops.backup.mongo;

import com.mongodb.MongoException;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.bson.Document;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;

/**
 * A replica set of several mongod in containers, which share the host's network: members are known
 * by the same address to each other and to whoever asks from outside. Needs a container engine on
 * Linux.
 */
final class MongodSet implements AutoCloseable {
  private static final String NAME = "rs0";

  private final List<GenericContainer<?>> members = new ArrayList<>();
  private final String addresses;

  private MongodSet(List<Integer> ports) {
    this.addresses = ports.stream().map(p -> "127.0.0.1:" + p).collect(Collectors.joining(","));
  }

  /** Starts so many, and waits for a primary. */
  static MongodSet of(String image, int nodes) throws IOException, InterruptedException {
    List<Integer> ports = freePorts(nodes);
    MongodSet set = new MongodSet(ports);
    try {
      for (int port : ports) {
        set.start(image, port);
      }
      set.initiate(ports);
    } catch (RuntimeException e) {
      set.close();
      throw e;
    }
    return set;
  }

  private static List<Integer> freePorts(int count) throws IOException {
    List<ServerSocket> held = new ArrayList<>();
    List<Integer> ports = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        held.add(socket);
        ports.add(socket.getLocalPort());
      }
    } finally {
      for (ServerSocket socket : held) {
        socket.close();
      }
    }
    return ports;
  }

  private void start(String image, int port) {
    GenericContainer<?> member =
        new GenericContainer<>(image)
            .withNetworkMode("host")
            .withCommand(
                "--replSet", NAME, "--bind_ip", "127.0.0.1", "--port", String.valueOf(port))
            .waitingFor(Wait.forLogMessage("(?i).*waiting for connections.*", 1));
    members.add(member);
    member.start();
  }

  private void initiate(List<Integer> ports) throws InterruptedException {
    List<Document> configured = new ArrayList<>();
    for (int port : ports) {
      configured.add(new Document("_id", configured.size()).append("host", "127.0.0.1:" + port));
    }
    String first = "mongodb://127.0.0.1:" + ports.get(0) + "/?directConnection=true";
    try (MongoClient direct = MongoClients.create(first)) {
      direct
          .getDatabase("admin")
          .runCommand(
              new Document(
                  "replSetInitiate", new Document("_id", NAME).append("members", configured)));
    }
    try (MongoClient client = connect()) {
      // The driver waits for a primary.
      client.getDatabase("admin").runCommand(new Document("ping", 1));
    }
  }

  /** A client of the whole set. The caller closes. */
  MongoClient connect() {
    return MongoClients.create("mongodb://" + addresses + "/?replicaSet=" + NAME + "&w=majority");
  }

  /** Has the members elect another primary. */
  void stepDown(MongoClient client) {
    try {
      client
          .getDatabase("admin")
          .runCommand(new Document("replSetStepDown", 10).append("force", true));
    } catch (MongoException e) {
      // Older servers answer by closing the connection.
    }
  }

  @Override
  public void close() {
    members.forEach(GenericContainer::stop);
  }
}
