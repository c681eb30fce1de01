package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.RunningStream;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.AgeRecipient;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresConnection;
import org.stellaops.backup.postgres.PostgresIntegrity;
import org.stellaops.backup.postgres.PostgresSource;
import org.stellaops.backup.postgres.PostgresTarget;
import org.stellaops.backup.postgres.PostgresWal;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;

/**
 * A process that records WAL under load is killed at seeded moments, and so is the server. What the
 * slot has let go is recorded, and in the end nothing is missing.
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class WalKillIT {
  private static final int MAJOR = 17;
  private static final long LONGEST_MILLIS = 2_500;

  @TempDir Path root;

  /** Records until its input ends. Directory of the host, recipient, and URL of the server. */
  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]);
    Host host = host(directory, AgeRecipient.parse(arguments[1]));
    PostgresConnection server =
        PostgresConnection.parse(
            arguments[2], () -> org.stellaops.backup.model.Secret.of("embedded"));
    var plan =
        host.plan(host.sink).source("database", PostgresSource.physical(server)).stream(
                "wal", PostgresWal.of(server, Recording.SLOT))
            .build();
    try (BackupEngine engine = host.with(plan).open();
        RunningStream wal = engine.stream("wal")) {
      System.out.println("recording " + wal.status().stream());
      while (System.in.read() >= 0) {
        Thread.onSpinWait();
      }
    }
  }

  private static Host host(Path directory, org.stellaops.backup.spi.Recipient owner)
      throws IOException {
    return new Host(directory, owner, DirectorySink.at(directory.resolve("repository")));
  }

  @Tag("interop")
  @Test
  void three_kills_of_the_receiver_and_three_of_the_server_lose_nothing() throws Exception {
    exhaust(3);
  }

  @Tag("soak")
  @Test
  void fifty_kills_of_each_lose_nothing() throws Exception {
    exhaust(50);
  }

  private void exhaust(int kills) throws Exception {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(kills);
    try (AgeIdentity owner = AgeIdentity.generate();
        PostgresServer server =
            PostgresServer.start(
                PostgresBinaries.of(MAJOR),
                root.resolve("cluster"),
                Map.of("max_slot_wal_keep_size", "2GB"))) {
      Host host = host(root.resolve("host"), owner.recipient()).withKeys();
      Sql.execute(server, "CREATE TABLE counter (n serial PRIMARY KEY, filler text)");
      try (Recording recording = Recording.of(host, server)) {
        recording.backUp("base");
        recording.awaitRecorded();
      }
      for (int i = 0; i < kills; i++) {
        killReceiver(host, server, random);
        assertSlotIsBehind(host, server, owner, "receiver " + i);
        killServer(host, server, random);
        assertSlotIsBehind(host, server, owner, "server " + i);
      }
      assertWhole(host, server, owner);
      System.out.printf("%d kills of the receiver and of the server: nothing is lost%n", kills);
    }
  }

  private static Process record(Host host, PostgresServer server) throws IOException {
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:TieredStopAtLevel=1",
                    "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
                    "-cp",
                    System.getProperty("java.class.path"),
                    WalKillIT.class.getName(),
                    host.directory.toString(),
                    host.owner.text(),
                    server.jdbcUrl()))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertEquals("recording wal", process.inputReader(StandardCharsets.UTF_8).readLine());
    return process;
  }

  private static void killReceiver(Host host, PostgresServer server, RandomGenerator random)
      throws Exception {
    Process process = record(host, server);
    try {
      CompletableFuture<Void> load = load(server);
      pause(random);
      process.destroyForcibly().waitFor();
      Sql.execute(server, "TRUNCATE stop_load");
      load.get(30, TimeUnit.SECONDS);
    } finally {
      process.destroyForcibly();
    }
  }

  private static void killServer(Host host, PostgresServer server, RandomGenerator random)
      throws Exception {
    Process process = record(host, server);
    try {
      CompletableFuture<Void> load = load(server);
      pause(random);
      server.kill();
      load.get(30, TimeUnit.SECONDS);
      server.startWhereItWas();
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  /** Commits until the server is gone, or the table that holds one row is empty. */
  private static CompletableFuture<Void> load(PostgresServer server) throws SQLException {
    Sql.execute(
        server, "CREATE TABLE IF NOT EXISTS stop_load (n int)", "INSERT INTO stop_load VALUES (1)");
    return CompletableFuture.runAsync(
        () -> {
          try (Connection sql = server.openSql();
              Statement statement = sql.createStatement()) {
            int rows = 1;
            while (rows > 0) {
              rows =
                  statement.executeUpdate(
                      "INSERT INTO counter (filler) SELECT repeat('x', 500) FROM stop_load");
            }
          } catch (SQLException gone) {
            // The server was killed.
          }
        });
  }

  private static void pause(RandomGenerator random) {
    long end = System.nanoTime() + Duration.ofMillis(random.nextLong(LONGEST_MILLIS)).toNanos();
    while (System.nanoTime() < end) {
      LockSupport.parkNanos(end - System.nanoTime());
    }
  }

  /** The law, from the repository alone: what the server may remove is recorded. */
  private static void assertSlotIsBehind(
      Host host, PostgresServer server, AgeIdentity owner, String what) throws Exception {
    Lsn held = Lsn.parse(Sql.ask(server, "SELECT restart_lsn FROM pg_replication_slots"));
    try (BackupRepository repository = host.repository(owner)) {
      Coverage coverage = repository.catalog().streams().get(0);
      assertEquals(1, coverage.ranges().size(), what + ": " + coverage.ranges());
      Lsn end = new Lsn(coverage.ranges().get(0).to().offset());
      assertTrue(held.compareTo(end) <= 0, what + ": held from " + held + ", recorded to " + end);
      assertEquals(List.of(), coverage.gaps(), what);
    }
  }

  /** Everything is recorded, intact, and restores to what the server holds. */
  private void assertWhole(Host host, PostgresServer server, AgeIdentity owner) throws Exception {
    try (Recording recording = Recording.of(host, server)) {
      recording.awaitRecorded();
      assertEquals(1, recording.coverage().ranges().size());
      assertTrue(recording.engine.check(Verification.full(owner)).isIntact());
      String query = "SELECT count(*) || ' ' || sum(n) FROM counter";
      PostgresIntegrity integrity =
          PostgresIntegrity.standard()
              .bringingAmcheck()
              .expect("postgres", "rows", query, Sql.ask(server, query));
      recording.restore(
          RestoreRequest.at(RecoveryPoint.latest()).with(owner),
          PostgresTarget.directory(root.resolve("restored"))
              .provenBy(Sql.programs(server), integrity));
    }
  }
}
