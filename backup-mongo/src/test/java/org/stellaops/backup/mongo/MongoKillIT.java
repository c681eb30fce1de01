package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.bson.BsonDocument;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.fixture.MongodSim;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/**
 * A process that is gone at a command to the server, sent or answered: during a capture, a restore,
 * or a replay. Whoever comes next ends with the same documents and indexes as if nothing had been.
 */
class MongoKillIT {
  private static final String DB = Orders.DB;
  private static final String COPY = "copy";

  @TempDir private Path directory;

  private final MongodSim other = MongodSim.replicaSet();
  private MongodSim sim;
  private int processes;

  @AfterEach
  void stop() {
    sim.close();
    other.close();
  }

  @ParameterizedTest
  @CsvSource({"CAPTURE, 1", "SHADOW, 2", "REFUSE, 3"})
  void a_process_that_is_gone_at_some_command_leaves_nothing_that_another_cannot_end(
      String what, long seed) throws Exception {
    prepare(what);
    Random random = new Random(seed);
    int command = 2 + random.nextInt(what.equals("CAPTURE") ? 12 : 40);
    assertTrue(isKilled(what, command, random.nextBoolean()), what + " " + command);
    requireEnded(what, "seed " + seed);
  }

  @Tag("soak")
  @ParameterizedTest
  @CsvSource({
    "REFUSE, false",
    "REFUSE, true",
    "SHADOW, false",
    "SHADOW, true",
    "REPLACE, false",
    "REPLACE, true",
    "CAPTURE, false",
    "CAPTURE, true"
  })
  void a_process_that_is_gone_at_any_command_leaves_nothing_that_another_cannot_end(
      String what, boolean isAnswered) throws Exception {
    prepare(what);
    int command = 1;
    while (isKilled(what, command, isAnswered)) {
      requireEnded(what, "command " + command);
      command++;
    }
    assertTrue(command > 12, what + " has " + command + " commands");
  }

  /** A replay belongs to every restore: the capture was read while it changed. */
  private void prepare(String what) throws Exception {
    boolean isCapture = what.equals("CAPTURE");
    sim = isCapture ? MongodSim.replicaSet() : MongodSim.builder().version("4.4.29").start();
    Orders orders = new Orders(sim.client());
    orders.fill(12);
    sim.client().getDatabase(DB).getCollection("issuers").createIndex(new Document("name", 1));
    if (!isCapture) {
      AtomicInteger reads = new AtomicInteger();
      for (String read : List.of("find " + DB, "getMore " + DB)) {
        sim.faults()
            .before(
                read,
                c -> {
                  if (reads.incrementAndGet() < 4) {
                    orders.writeTogether();
                  }
                });
      }
      Captured captured = CaptureHarness.of(HaltingRun.source(sim.client(), DB)).capture();
      sim.faults().clear();
      assertEquals("OPLOG_FENCED", captured.source().properties().get("consistency"));
      BsonDocument oplog = firstOf(captured).getDocument("oplog");
      assertTrue(oplog.getInt64("documents").getValue() >= 3, oplog.toString());
      KeptCapture.keep(captured, directory);
    }
  }

  private static BsonDocument firstOf(Captured captured) throws Exception {
    return new org.bson.RawBsonDocument(captured.bytes("mongo-meta.bson"));
  }

  private boolean isKilled(String what, int command, boolean isAnswered) throws Exception {
    if (!what.equals("CAPTURE")) {
      other.client().getDatabase(COPY).drop();
    }
    Path printed = directory.resolve("printed" + processes++);
    MongodSim server = what.equals("CAPTURE") ? sim : other;
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xshare:auto",
                "-cp",
                JavaClassPath.ofTests(),
                HaltingRun.class.getName(),
                server.connectionString(),
                what,
                what.equals("CAPTURE") ? DB : COPY,
                directory.toString(),
                Integer.toString(command),
                Boolean.toString(isAnswered))
            .redirectErrorStream(true)
            .redirectOutput(printed.toFile())
            .start();
    assertTrue(process.waitFor(2, TimeUnit.MINUTES), "it hangs");
    String text = Files.readString(printed);
    assertTrue(process.exitValue() == 0 || process.exitValue() == HaltingRun.GONE, text);
    return process.exitValue() == HaltingRun.GONE;
  }

  private void requireEnded(String what, String when) throws Exception {
    Map<String, List<String>> expected = DatabaseState.now(sim.client(), DB);
    if (what.equals("CAPTURE")) {
      Captured captured = CaptureHarness.of(HaltingRun.source(sim.client(), DB)).capture();
      other.client().getDatabase(COPY).drop();
      RestoreHarness.of(MongoTarget.into(other.client(), COPY), captured).restore();
      assertEquals("SNAPSHOT", captured.source().properties().get("consistency"), when);
      assertEquals(0, sim.fsyncLocks(), when);
    } else {
      MongoTarget target = HaltingRun.target(other.client(), COPY, Existing.valueOf(what));
      RestoreHarness next = RestoreHarness.of(target, KeptCapture.in(directory));
      boolean isWhole = expected.equals(DatabaseState.now(other.client(), COPY));
      if (isWhole && what.equals("REFUSE")) {
        // It was gone when it had ended: its marker is dropped last. That is a database like
        // others.
        assertThrows(BackupException.Refused.class, next::restore, when);
      } else {
        next.restore();
      }
    }
    Map<String, List<String>> found = DatabaseState.now(other.client(), COPY);
    assertEquals(expected, found, when);
    assertTrue(!found.containsKey(RestoreMarker.COLLECTION), when);
  }

  @Tag("soak")
  @Test
  void what_is_killed_is_counted() throws Exception {
    prepare("REFUSE");
    assertTrue(!isKilled("REFUSE", 100_000, false));
    List<String> lines = Files.readAllLines(directory.resolve("printed0"));
    int commands = Integer.parseInt(lines.get(lines.size() - 1));
    assertTrue(commands > 45, commands + " commands");
  }
}
