package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.fail;

import com.mongodb.MongoException;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.bson.Document;

/**
 * FerretDB over SQLite, as a process of its own on loopback: a server that is neither MongoDB nor
 * Java. It knows collections, indexes and cursors, and neither sessions nor snapshots nor an oplog.
 */
final class FerretServer implements AutoCloseable {
  private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final Process process;
  private final Path printed;
  private final int port;
  private final MongoClient client;

  private FerretServer(Process process, Path printed, int port) {
    this.process = process;
    this.printed = printed;
    this.port = port;
    this.client = MongoClients.create(connectionString() + "/?serverSelectionTimeoutMS=60000");
  }

  /** Starts it; its files are below {@code directory}. */
  static FerretServer start(Path directory) throws IOException {
    Path data = Files.createDirectories(directory.resolve("ferretdb"));
    Path printed = directory.resolve("ferretdb.txt");
    int port = freePort();
    Process process =
        new ProcessBuilder("ferretdb", "127.0.0.1:" + port, "file:" + data + "/")
            .redirectErrorStream(true)
            .redirectOutput(printed.toFile())
            .start();
    FerretServer server = new FerretServer(process, printed, port);
    server.awaitAnswer();
    return server;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void awaitAnswer() throws IOException {
    long end = System.nanoTime() + LIMIT_NANOS;
    while (process.isAlive() && System.nanoTime() < end) {
      try {
        client.getDatabase("admin").runCommand(new Document("ping", 1));
        return;
      } catch (MongoException e) {
        Thread.onSpinWait();
      }
    }
    close();
    fail("ferretdb does not answer: " + Files.readString(printed));
  }

  MongoClient client() {
    return client;
  }

  String connectionString() {
    return "mongodb://127.0.0.1:" + port;
  }

  @Override
  public void close() {
    client.close();
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
