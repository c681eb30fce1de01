package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.postgres.PostgresIntegrity;
import org.stellaops.backup.postgres.PostgresTarget;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.testkit.MemorySink;

/**
 * Random instants under load, before, across and after a failover in which the old primary wrote
 * what the new one never got: a restored cluster holds exactly the rows committed before the
 * instant, in a tablespace, too, and proves to be sound.
 */
class FailoverPointInTimeIT {
  private static final Duration ROUND = Duration.ofMillis(700);
  private static final Map<String, String> SETTINGS =
      Map.of(
          "max_slot_wal_keep_size", "2GB",
          "wal_keep_size", "1GB",
          "track_commit_timestamp", "on");

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private AgeIdentity owner;
  private Host host;
  private PostgresServer server;
  private PostgresServer standby;
  private Recording recording;
  private String tablespace;
  private List<Instant> abandoned;
  private int restores;

  @AfterEach
  void stopAll() throws Exception {
    recording.close();
    owner.close();
    if (standby != null) {
      standby.close();
    }
    server.close();
    sink.assertNothingOpen();
  }

  @ParameterizedTest
  @Tag("interop")
  @ValueSource(ints = 18)
  void an_instant_before_across_and_after_a_failover_is_reached_exactly(int major)
      throws Exception {
    exhaust(major, 1);
  }

  @Tag("interop")
  @ParameterizedTest
  @ValueSource(ints = {15, 16, 17})
  void so_it_is_on_the_versions_between(int major) throws Exception {
    exhaust(major, 1);
  }

  @Tag("soak")
  @ParameterizedTest
  @ValueSource(ints = {15, 16, 17, 18})
  void many_instants_are_reached_exactly(int major) throws Exception {
    exhaust(major, 7);
  }

  /** So many targets in each of the three times. */
  private void exhaust(int major, int each) throws Exception {
    start(major);
    Instant begin = Sql.now(server);
    Instant cut = failOver();
    Instant promoted = Sql.now(standby);
    try (CountingLoad load = CountingLoad.on(standby, major, 3)) {
      load.run(ROUND);
    }
    Instant end = Sql.now(standby);
    Sql.execute(standby, "INSERT INTO counter VALUES (99, 0)");
    recording.awaitRecorded();
    assertAbandonedIsRecorded();

    List<Instant> commits = CountingLoad.commits(standby);
    for (int i = 0; i < each; i++) {
      long seed = major * 100L + i;
      assertReached(seed, commits, begin, cut);
      assertReached(seed, commits, cut, promoted);
      assertReached(seed, commits, promoted, end);
    }
    assertAbandonedIsReached();
  }

  private void start(int major) throws Exception {
    server = PostgresServer.start(PostgresBinaries.of(major), root.resolve("cluster"), SETTINGS);
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    Path space = Files.createDirectory(root.resolve("space"));
    Sql.execute(server, "CREATE TABLESPACE far LOCATION '" + space + "'");
    tablespace = Sql.ask(server, "SELECT oid FROM pg_tablespace WHERE spcname = 'far'");
    CountingLoad.prepare(server, "far");
    recording = Recording.of(host, server);
    recording.backUp("base");
  }

  /** Returns when the standby got nothing more. */
  private Instant failOver() throws Exception {
    Instant cut;
    try (CountingLoad load = CountingLoad.on(server, 1, 1)) {
      load.run(ROUND);
      startStandby();
      String behind = Sql.flushed(server).toString();
      Sql.until(
          () -> Sql.ask(standby, "SELECT pg_last_wal_replay_lsn() >= '" + behind + "'").equals("t"),
          () -> "the standby does not catch up");
      Sql.execute(standby, "ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()");
      Sql.until(
          () -> Sql.ask(standby, "SELECT count(*) FROM pg_stat_wal_receiver").equals("0"),
          () -> "the standby does not let go");
      cut = Sql.now(server);
      load.run(ROUND);
    }
    abandoned = CountingLoad.commits(server);
    recording.awaitRecorded();
    recording.close();
    server.stop();
    Sql.execute(standby, "SELECT pg_promote()");
    Sql.awaitOpen(standby);
    recording = Recording.of(host, standby);
    return cut;
  }

  /** A standby made from our own backup. */
  private void startStandby() throws Exception {
    Path data = root.resolve("standby");
    recording.restore(RestoreRequest.of(SnapshotRef.named("base")).with(owner), target(data));
    standby = PostgresServer.startStandby(server, data, SETTINGS);
  }

  private PostgresTarget target(Path data) {
    return PostgresTarget.directory(data)
        .tablespace(Long.parseLong(tablespace), data.resolveSibling(data.getFileName() + "-far"));
  }

  private void assertAbandonedIsRecorded() throws Exception {
    List<SliceSpan> ranges = recording.coverage().ranges();
    assertEquals(2, ranges.size(), ranges.toString());
    assertEquals(1, ranges.get(0).from().branch());
    assertEquals(2, ranges.get(1).from().branch());
    assertTrue(
        Long.compareUnsigned(ranges.get(1).from().offset(), ranges.get(0).to().offset()) < 0,
        () -> "nothing was abandoned: " + ranges);
    assertEquals(List.of(), recording.coverage().gaps());
  }

  private void assertReached(long seed, List<Instant> commits, Instant from, Instant to)
      throws Exception {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    long micros = ChronoUnit.MICROS.between(from, to);
    Instant instant =
        CountingLoad.inGap(commits, from.plus(random.nextLong(micros), ChronoUnit.MICROS));
    String expected = Sql.ask(standby, CountingLoad.hashUpTo(instant));
    restore(RecoveryPoint.at(instant), "seed %d, %s: ".formatted(seed, instant), expected, t -> t);
  }

  /** The whole of the timeline that was left, of which the newest history knows nothing. */
  private void assertAbandonedIsReached() throws Exception {
    server.start();
    String expected = Sql.ask(server, CountingLoad.hashNow());
    assertTrue(expected.startsWith(abandoned.size() + " "), expected);
    server.stop();
    restore(RecoveryPoint.latest(), "abandoned: ", expected, t -> t.timeline(1));
  }

  private void restore(
      RecoveryPoint point, String what, String expected, UnaryOperator<PostgresTarget> how)
      throws IOException {
    Path to = root.resolve("restored-" + restores++);
    PostgresIntegrity integrity =
        PostgresIntegrity.standard()
            .bringingAmcheck()
            .expect("postgres", what + "rows", CountingLoad.hashNow(), expected);
    recording.restore(
        RestoreRequest.of(SnapshotRef.named("base")).upTo(point).with(owner),
        how.apply(target(to)).provenBy(Sql.programs(server), integrity));
  }
}
