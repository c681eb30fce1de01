package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.StreamStatus.State;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.postgres.PostgresConnection;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.PostgresIntegrity;
import org.stellaops.backup.postgres.PostgresTarget;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.MemorySink;

/** What a receiver makes of the bad days of its server, its slot and its store. */
@Tag("interop")
@Timeout(120)
@ParameterizedClass
@ValueSource(ints = {15, 16, 17, 18})
class WalReceiverIT {
  private static final Duration RPO = Duration.ofSeconds(5);
  private static final int RPO_SAMPLES = 5;

  @TempDir static Path clusters;
  private static PostgresServer server;

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private AgeIdentity owner;
  private Host host;

  @Parameter int major;

  @BeforeParameterizedClassInvocation
  static void startServer(int major) throws Exception {
    server =
        PostgresServer.start(
            PostgresBinaries.of(major),
            clusters.resolve("cluster-" + major),
            Map.of("min_wal_size", "32MB"));
    Sql.execute(server, "CREATE TABLE counter (n int PRIMARY KEY)");
  }

  @AfterParameterizedClassInvocation
  static void stopServer() throws Exception {
    server.close();
  }

  @BeforeEach
  void prepare() throws Exception {
    owner = AgeIdentity.generate();
    host = host("host", sink);
    set("max_slot_wal_keep_size", "2GB");
    Sql.execute(server, "TRUNCATE counter");
  }

  /** Closing leaves no walsender, but the slot. */
  @AfterEach
  void only_the_slot_is_left() throws Exception {
    owner.close();
    sink.assertNothingOpen();
    Sql.until(
        () -> Sql.ask(server, "SELECT count(*) FROM pg_stat_replication").equals("0"),
        () -> "a walsender is left");
    Sql.execute(
        server,
        "ALTER SYSTEM RESET ALL",
        "SELECT pg_reload_conf()",
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
  }

  private Host host(String name, BackupSink to) throws Exception {
    return new Host(root.resolve(name), owner.recipient(), to).withKeys();
  }

  private static void set(String setting, String value) throws Exception {
    Sql.execute(
        server, "ALTER SYSTEM SET %s = '%s'".formatted(setting, value), "SELECT pg_reload_conf()");
    Sql.until(
        () -> Sql.ask(server, "SHOW " + setting).equals(value), () -> setting + " is not set");
  }

  private static void count(int n) throws SQLException {
    Sql.execute(server, "INSERT INTO counter VALUES (" + n + ")");
  }

  private static String slots(String what) throws SQLException {
    return Sql.ask(server, "SELECT " + what + " FROM pg_replication_slots");
  }

  @Test
  void a_slot_in_use_is_waited_for_and_taken_over() throws Exception {
    var other = new MemorySink();
    try (Recording first = Recording.of(host, server)) {
      count(1);
      first.awaitRecorded();
      try (Recording second = Recording.of(host("other", other), server)) {
        second.awaitProblem(State.WAITING, PostgresFailure.SLOT_TAKEN);
        first.wal.close();
        count(2);
        second.awaitRecorded();
        assertEquals(State.FOLLOWING, second.wal.status().state());
      }
    }
    assertEquals("1", slots("count(*)"), "the slot stays");
    assertEquals("0", slots("count(active_pid)"));
    other.assertNothingOpen();
  }

  @Test
  void a_slot_that_was_dropped_is_made_anew_and_nothing_is_missing() throws Exception {
    try (Recording recording = Recording.of(host, server)) {
      count(1);
      recording.awaitRecorded();
    }
    Sql.execute(server, "SELECT pg_drop_replication_slot('stella')");
    count(2);
    try (Recording recording = Recording.of(host, server)) {
      recording.awaitRecorded();
      assertEquals(1, recording.coverage().ranges().size());
      assertEquals(List.of(), recording.coverage().gaps());
      assertEquals("1", slots("count(*)"));
    }
  }

  @Test
  void wal_that_was_lost_is_a_gap_that_only_a_later_base_backup_is_behind() throws Exception {
    try (Recording recording = Recording.of(host, server)) {
      recording.backUp("before");
      count(1);
      recording.awaitRecorded();
    }
    Instant inGap = loseWal();
    try (Recording recording = Recording.of(host, server)) {
      recording.awaitFinding(CoreFailure.STREAM_GAP);
      recording.awaitRecorded();
      assertEquals(1, recording.coverage().gaps().size());
      assertEquals(2, recording.coverage().ranges().size());
      assertCutOff(recording, RecoveryPoint.at(inGap));
      assertCutOff(recording, RecoveryPoint.latest());

      recording.backUp("behind");
      count(3);
      recording.awaitRecorded();
      assertRestores(recording, RestoreRequest.at(RecoveryPoint.latest()), "1,2,3");
    }
  }

  /** Returns an instant of which nothing is recorded. */
  private static Instant loseWal() throws Exception {
    set("max_slot_wal_keep_size", "16MB");
    count(2);
    Instant lost = Sql.now(server);
    for (int i = 0; i < 7; i++) {
      Sql.execute(
          server, "SELECT pg_logical_emit_message(false, 'x', 'x')", "SELECT pg_switch_wal()");
    }
    Sql.execute(server, "CHECKPOINT");
    assertEquals("lost", slots("wal_status"));
    set("max_slot_wal_keep_size", "2GB");
    return lost;
  }

  private void assertCutOff(Recording recording, RecoveryPoint point) throws BackupException {
    RestorePlan plan =
        recording.plan(
            RestoreRequest.of(SnapshotRef.named("before")).upTo(point).with(owner),
            PostgresTarget.directory(root.resolve("never")));
    List<Finding> blockers = plan.blockers();
    assertEquals(List.of(CoreFailure.POINT_CUT_OFF), codes(blockers), plan.describe());
    String found = blockers.get(0).toString();
    String end = recording.wal.status().durable().map(Position::text).orElse("");
    assertTrue(found.contains("lost were [1@"), found);
    assertFalse(found.contains("recorded up to " + end), found);
  }

  private static List<FailureCode> codes(List<Finding> findings) {
    return findings.stream().map(Finding::code).toList();
  }

  /** The restored cluster proves to be sound, and to hold these numbers. */
  private void assertRestores(Recording recording, RestoreRequest request, String numbers)
      throws Exception {
    PostgresIntegrity integrity =
        PostgresIntegrity.standard()
            .bringingAmcheck()
            .expect(
                "postgres",
                "numbers",
                "SELECT string_agg(n::text, ',' ORDER BY n) FROM counter",
                numbers);
    recording.restore(
        request.with(owner),
        PostgresTarget.directory(root.resolve("restored"))
            .provenBy(Sql.programs(server), integrity));
  }

  @Test
  void the_wal_of_another_cluster_is_refused() throws Exception {
    try (Recording recording = Recording.of(host, server)) {
      recording.awaitRecorded();
    }
    try (PostgresServer other =
            PostgresServer.start(
                server.binaries(),
                root.resolve("another"),
                Map.of("max_slot_wal_keep_size", "2GB"));
        Recording recording = Recording.of(host, other)) {
      recording.awaitProblem(State.FAILED, CoreFailure.STREAM_LINEAGE);
    }
  }

  @Test
  void a_wrong_password_is_waited_out_and_a_slot_without_bound_is_not() throws Exception {
    PostgresConnection wrong =
        PostgresConnection.parse(server.jdbcUrl(), () -> Secret.of("not-the-password"));
    try (Recording recording = Recording.of(host, server, wrong, w -> w)) {
      recording.awaitProblem(State.WAITING, PostgresFailure.LOGIN_REFUSED);
    }
    set("max_slot_wal_keep_size", "-1");
    try (Recording recording = Recording.of(host, server)) {
      recording.awaitProblem(State.FAILED, PostgresFailure.SLOT_UNBOUNDED);
    }
    assertEquals("0", slots("count(*)"));
    try (Recording recording =
        Recording.of(host, server, server.connection(), w -> w.allowUnboundedRetention())) {
      recording.awaitRecorded();
    }
  }

  @Test
  void a_commit_is_recorded_within_seconds_and_a_restart_leaves_no_gap() throws Exception {
    List<Long> millis = new ArrayList<>();
    try (Recording recording = Recording.of(host, server)) {
      recording.awaitRecorded();
      for (int i = 0; i < RPO_SAMPLES; i++) {
        count(i);
        long begin = System.nanoTime();
        recording.awaitRecorded();
        millis.add(Duration.ofNanos(System.nanoTime() - begin).toMillis());
      }
      server.stop();
      server.startWhereItWas();
      count(RPO_SAMPLES);
      recording.awaitRecorded();
      assertEquals(1, recording.coverage().ranges().size());
      assertEquals(List.of(), recording.coverage().gaps());
    }
    Collections.sort(millis);
    long longest = millis.get(RPO_SAMPLES - 1);
    System.out.printf(
        "PostgreSQL %d: a commit was recorded after %d ms in the median, %d ms at most%n",
        major, millis.get(RPO_SAMPLES / 2), longest);
    assertTrue(longest <= RPO.toMillis(), millis::toString);
  }

  @Test
  void a_synchronous_stream_has_every_commit_that_returned() throws Exception {
    var isBroken = new AtomicBoolean();
    BackupSink breaking =
        HookedStore.on(
            sink,
            operation -> {
              if (isBroken.get() && operation.startsWith("put ")) {
                throw new BackupException.Sink(
                    CoreFailure.SINK_FAILED, Reason.TRANSIENT, "broken by the test");
              }
            });
    Host synchronous = host("synchronous", breaking);
    try (Recording recording =
        Recording.of(synchronous, server, server.connection(), w -> w.synchronousAs("stella_s"))) {
      recording.backUp("base");
      set("synchronous_standby_names", "stella_s");
      count(1);
      isBroken.set(true);
      CompletableFuture<Void> waiting = CompletableFuture.runAsync(WalReceiverIT::countTwo);
      recording.awaitState(State.WAITING);
      assertFalse(waiting.isDone(), "a commit returned that is nowhere recorded");
      isBroken.set(false);
      waiting.get(60, TimeUnit.SECONDS);

      List<Integer> returned = countUntilKilled();
      recording.awaitState(State.WAITING);
      assertHolds(recording, returned);
    }
    server.startWhereItWas();
  }

  @Test
  void a_store_slower_than_the_server_is_patient_loses_nothing_and_gets_on() throws Exception {
    set("wal_sender_timeout", "2s");
    var slowPuts = new AtomicInteger();
    BackupSink slow =
        HookedStore.on(
            sink,
            operation -> {
              if (operation.startsWith("put w/")
                  && operation.contains("/stream/")
                  && slowPuts.getAndDecrement() > 0) {
                Sql.pause(Duration.ofSeconds(5));
              }
            });
    Host patient = host("patient", slow);
    try (Recording recording = Recording.of(patient, server)) {
      recording.backUp("base");
      count(1);
      recording.awaitRecorded();
      for (int n = 2; n <= 3; n++) {
        String cutOff = slots("active_pid");
        slowPuts.set(1);
        count(n);
        recording.awaitRecorded();
        Sql.until(() -> isServedByAnother(cutOff), () -> "the server was patient with " + cutOff);
      }
      recording.awaitState(State.FOLLOWING);
      assertEquals(1, recording.coverage().ranges().size());
      assertEquals(List.of(), recording.coverage().gaps());
      assertRestores(recording, RestoreRequest.at(RecoveryPoint.latest()), "1,2,3");
    }
  }

  private static boolean isServedByAnother(String walsender) throws SQLException {
    String now = slots("active_pid");
    return now != null && !now.equals(walsender);
  }

  private static void countTwo() {
    try {
      count(2);
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }

  /** The numbers whose commits returned before the server was killed. */
  private static List<Integer> countUntilKilled() throws Exception {
    List<Integer> returned = Collections.synchronizedList(new ArrayList<>());
    CompletableFuture<Void> counting =
        CompletableFuture.runAsync(
            () -> {
              try (Connection sql = server.openSql();
                  Statement statement = sql.createStatement()) {
                for (int n = 3; ; n++) {
                  statement.execute("INSERT INTO counter VALUES (" + n + ")");
                  returned.add(n);
                }
              } catch (SQLException killed) {
                // As it should be.
              }
            });
    Sql.until(() -> returned.size() >= 20, () -> "it does not count: " + returned);
    server.kill();
    counting.get(30, TimeUnit.SECONDS);
    return returned;
  }

  /** What was not answered may be there, too; it is one commit at most. */
  private void assertHolds(Recording recording, List<Integer> returned) throws Exception {
    int last = returned.get(returned.size() - 1);
    PostgresIntegrity integrity =
        PostgresIntegrity.standard()
            .invariant(
                "postgres",
                "all that returned up to " + last,
                "SELECT count(*) = max(n) AND max(n) BETWEEN %d AND %d FROM counter"
                    .formatted(last, last + 1));
    recording.restore(
        RestoreRequest.at(RecoveryPoint.latest()).with(owner),
        PostgresTarget.directory(root.resolve("restored"))
            .provenBy(Sql.programs(server), integrity));
    System.out.printf(
        "PostgreSQL %d, synchronous: %d commits returned before the kill, none is lost%n",
        major, returned.size());
  }
}
