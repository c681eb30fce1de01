package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoCollection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.bson.Document;
import org.bson.types.Binary;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.mongo.fixture.MongodSim;

/** The largest documents there can be, and a process with little memory. */
class SmallHeapIT {
  private static final int LARGE_BYTES = (16 << 20) - 1_000;
  private static final int LARGE = 3;
  private static final int SMALL = 10_000;

  @TempDir Path directory;

  @Test
  void documents_of_16_MiB_are_captured_and_restored_in_a_heap_of_144_MiB() throws Exception {
    try (MongodSim server = MongodSim.replicaSet();
        MongoClient client = server.client()) {
      fill(client);
      List<String> said = run(server, "-Xmx144m");
      assertEquals(List.of("captured", "restored"), said, this::errors);
      assertEquals(LARGE, client.getDatabase("after").getCollection("large").countDocuments());
      assertEquals(SMALL, client.getDatabase("after").getCollection("small").countDocuments());
    }
  }

  private static void fill(MongoClient client) {
    MongoCollection<Document> large = client.getDatabase("before").getCollection("large");
    Random random = new Random(5);
    byte[] bytes = new byte[LARGE_BYTES];
    for (int i = 0; i < LARGE; i++) {
      random.nextBytes(bytes);
      large.insertOne(new Document("_id", i).append("bytes", new Binary(bytes.clone())));
    }
    List<Document> small = new ArrayList<>();
    for (int i = 0; i < SMALL; i++) {
      small.add(new Document("_id", i).append("text", "one of many, number " + i));
    }
    client.getDatabase("before").getCollection("small").insertMany(small);
  }

  private String errors() {
    try {
      return Files.readString(directory.resolve("errors"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What it printed; its errors go to a file. */
  private List<String> run(MongodSim server, String heap) throws IOException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                heap,
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                "-cp",
                JavaClassPath.ofTests(),
                SmallHeap.class.getName(),
                server.connectionString(),
                "before",
                "after",
                directory.resolve("captured").toString())
            .redirectError(directory.resolve("errors").toFile())
            .start();
    List<String> printed =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
            .lines()
            .toList();
    process.onExit().join();
    return printed;
  }
}
