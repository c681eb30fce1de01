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
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.store.RetryPolicy;
import org.stellaops.backup.store.RetryingStore;

/**
 * A process that records WAL under load is killed at seeded moments, so is the server, and so is
 * the store. What the server was told to forget is recorded, and in the end nothing is missing.
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class WalKillIT {
  private static final int MAJOR = 17;
  private static final long LONGEST_MILLIS = 2_500;
  private static final String ROUND = "SELECT coalesce(max(n) / 1000000, 0) + 1 FROM counter";

  /** Twelve megabytes of WAL that compress by half, so that units become full, too. */
  private static final String MUCH =
      """
      SELECT pg_logical_emit_message(false, 'much', string_agg(md5(n::text || random()), ''))
        FROM generate_series(1, 375000) n
      """;

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

  @Tag("interop")
  @Test
  void three_kills_of_the_store_lose_nothing() throws Exception {
    exhaustStore(3);
  }

  @Tag("soak")
  @Test
  void fifty_kills_of_the_store_lose_nothing() throws Exception {
    exhaustStore(50);
  }

  private PostgresServer startServer() throws IOException {
    return PostgresServer.start(
        PostgresBinaries.of(MAJOR),
        root.resolve("cluster"),
        Map.of("max_slot_wal_keep_size", "2GB"));
  }

  private static RandomGenerator random(int seed) {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
  }

  private void exhaust(int kills) throws Exception {
    RandomGenerator random = random(kills);
    long begin = System.nanoTime();
    try (AgeIdentity owner = AgeIdentity.generate();
        PostgresServer server = startServer()) {
      Lsn first = Sql.flushed(server);
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
      assertWhole(host, server, owner, "SELECT count(*) || ' ' || sum(n) FROM counter");
      report(kills + " of the receiver and as many of the server", begin, first, server);
    }
  }

  private static void report(String kills, long begin, Lsn first, PostgresServer server)
      throws SQLException {
    System.out.printf(
        "kills: %s; %d s, %d MB of WAL, nothing is lost%n",
        kills,
        Duration.ofNanos(System.nanoTime() - begin).toSeconds(),
        (Sql.flushed(server).position() - first.position()) / 1_000_000);
  }

  /** Half of the kills are met by a sink that tries again, and half by the engine alone. */
  private void exhaustStore(int kills) throws Exception {
    RandomGenerator random = random(kills);
    long begin = System.nanoTime();
    try (AgeIdentity owner = AgeIdentity.generate();
        PostgresServer server = startServer();
        StoreProcess store = StoreProcess.at(root.resolve("store"), random)) {
      Lsn first = Sql.flushed(server);
      CountingLoad.prepare(server, "pg_default");
      StoreKill kill = new StoreKill(store, random);
      BackupSink bare = store.sink(kill::heard);
      Host host = new Host(root.resolve("host"), owner.recipient(), bare).withKeys();
      try (Recording recording = Recording.of(host, server)) {
        recording.backUp("base");
        killStore(recording, store, kill, owner, kills - kills / 2);
      }
      BackupSink retrying = bare.with(RetryingStore.wrapping(RetryPolicy.STANDARD));
      host = new Host(host.directory, host.owner, retrying);
      try (Recording recording = Recording.of(host, server)) {
        killStore(recording, store, kill, owner, kills / 2);
      }
      assertWhole(host, server, owner, CountingLoad.hashNow());
      report(
          "%d of the store, %d of them within a put".formatted(kills, kill.withinPuts()),
          begin,
          first,
          server);
    }
  }

  /** The stream has to go on by itself, whatever it was told. */
  private void killStore(
      Recording recording, StoreProcess store, StoreKill kill, AgeIdentity owner, int kills)
      throws Exception {
    PostgresServer server = recording.server;
    Host past = new Host(root.resolve("host"), owner.recipient(), store.objects());
    try (FlushWatch told = FlushWatch.on(server)) {
      for (int i = 0; i < kills; i++) {
        int round = Integer.parseInt(Sql.ask(server, ROUND));
        try (CountingLoad load = CountingLoad.on(server, round, round)) {
          Sql.execute(server, MUCH);
          kill.strike();
          assertSlotIsBehind(past, server, owner, "store " + i);
          assertBehind(told.furthest(), recorded(past, owner, "store " + i), "told, store " + i);
          store.restart();
          load.run(Duration.ofMillis(100));
        }
        recording.awaitRecorded();
        assertBehind(told.furthest(), recorded(past, owner, "alive " + i), "told, alive " + i);
      }
    }
  }

  private static Process record(Host host, PostgresServer server) throws IOException {
    Process process =
        SmallJvm.of(
                EngineProcess.temporary(host.directory),
                SmallJvm.ownClasses(),
                WalKillIT.class,
                host.directory.toString(),
                host.owner.text(),
                server.jdbcUrl())
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
    Sql.pause(Duration.ofMillis(random.nextLong(LONGEST_MILLIS)));
  }

  /** The law, from the repository alone: what the server may remove is recorded. */
  private static void assertSlotIsBehind(
      Host host, PostgresServer server, AgeIdentity owner, String what) throws Exception {
    Lsn held = Lsn.parse(Sql.ask(server, "SELECT restart_lsn FROM pg_replication_slots"));
    assertBehind(held, recorded(host, owner, what), "held, " + what);
  }

  private static void assertBehind(Lsn told, Lsn recorded, String what) {
    assertTrue(told.compareTo(recorded) <= 0, what + ": " + told + ", recorded to " + recorded);
  }

  /** Behind the last byte that is recorded, of one range without a gap. */
  private static Lsn recorded(Host host, AgeIdentity owner, String what) throws IOException {
    try (BackupRepository repository = host.repository(owner)) {
      Coverage coverage = repository.catalog().streams().get(0);
      assertEquals(1, coverage.ranges().size(), what + ": " + coverage.ranges());
      assertEquals(List.of(), coverage.gaps(), what);
      return new Lsn(coverage.ranges().get(0).to().offset());
    }
  }

  /** Everything is recorded, intact, and restores to what the server holds. */
  private void assertWhole(Host host, PostgresServer server, AgeIdentity owner, String query)
      throws Exception {
    try (Recording recording = Recording.of(host, server)) {
      recording.awaitRecorded();
      assertEquals(1, recording.coverage().ranges().size());
      assertTrue(recording.engine.check(Verification.full(owner)).isIntact());
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
