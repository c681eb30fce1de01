package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.RunningStream;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.StreamStatus;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.postgres.LastGoodPoint;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresIntegrity;
import org.stellaops.backup.postgres.PostgresSource;
import org.stellaops.backup.postgres.PostgresTarget;
import org.stellaops.backup.postgres.PostgresWal;
import org.stellaops.backup.postgres.PostgresWalArchive;
import org.stellaops.backup.postgres.RecordedCommit;
import org.stellaops.backup.postgres.ScratchRestore;
import org.stellaops.backup.postgres.WalListing;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;
import org.stellaops.backup.testkit.MemorySink;

/** A cluster whose WAL came by its archive_command, through curl, can be taken to any point. */
@Tag("interop")
class ArchivePointInTimeIT {
  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private BackupSink store = sink;
  private PostgresServer server;
  private AgeIdentity owner;
  private Host host;
  private PostgresWalArchive archive;
  private BackupEngine engine;
  private RunningStream wal;
  private int restores;

  private void start(int major) throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    archive = PostgresWalArchive.listeningOn(port, root.resolve("token"));
    server =
        PostgresServer.start(
            PostgresBinaries.of(major),
            root.resolve("cluster"),
            Map.of("max_slot_wal_keep_size", "2GB", "archive_mode", "on"));
    Sql.execute(
        server,
        "ALTER SYSTEM SET archive_command = '" + archive.archiveCommand() + "'",
        "SELECT pg_reload_conf()",
        "CREATE TABLE counter (n int PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())");
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
  }

  private void open(boolean isArchived) throws Exception {
    engine =
        host.with(
                host
                    .plan(store)
                    .source("database", PostgresSource.physical(server.connection()))
                    .stream(
                        "wal", isArchived ? archive : PostgresWal.of(server.connection(), "stella"))
                    .build())
            .open();
    wal = engine.stream("wal");
  }

  @AfterEach
  void stopAll() throws Exception {
    engine.close();
    owner.close();
    // The archiver would try again what nobody accepts any more.
    Sql.execute(server, "ALTER SYSTEM SET archive_command = 'true'", "SELECT pg_reload_conf()");
    server.close();
    sink.assertNothingOpen();
  }

  private Instant count(int n) throws SQLException {
    Sql.execute(server, "INSERT INTO counter VALUES (" + n + ")");
    return Sql.now(server);
  }

  /** Ends the segment, and returns its name. */
  private String endSegment() throws SQLException {
    return Sql.ask(server, "SELECT pg_walfile_name(pg_switch_wal())");
  }

  private void awaitRecorded(Lsn place) throws Exception {
    String system = Sql.ask(server, "SELECT system_identifier FROM pg_control_system()");
    assertTrue(wal.await(place.in(system, 1), SOON), () -> wal.status().toString());
  }

  private void awaitArchived(String segment) throws SQLException {
    long end = System.nanoTime() + SOON.toNanos();
    String last = "";
    while (last.compareTo(segment) < 0) {
      assertTrue(System.nanoTime() < end, segment + " is not archived, but " + last);
      last =
          Sql.ask(
              server,
              "SELECT coalesce(last_archived_wal, ''), pg_sleep(0.05) FROM pg_stat_archiver");
    }
  }

  private String highest(RecoveryPoint point) throws Exception {
    Path to = root.resolve("restored-" + restores++);
    RestorePlan plan =
        engine.planRestore(
            RestoreRequest.at(point).with(owner).target("database", PostgresTarget.directory(to)));
    assertTrue(plan.isPossible(), plan.describe());
    engine.restore(plan, Confirmation.of(plan.digest()));
    try (PostgresServer restored =
        PostgresServer.start(server.binaries(), to, Map.of("archive_mode", "off"))) {
      Sql.awaitOpen(restored);
      return Sql.ask(restored, "SELECT count(*) || ' up to ' || max(n) FROM counter");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {15, 18})
  void archived_wal_leads_to_every_point_over_a_change_of_the_method_and_a_pause(int major)
      throws Exception {
    start(major);
    open(false);
    count(1);
    engine.backup(BackupRequest.full().named("base")).requireGood();
    Instant one = count(2);
    awaitRecorded(Lsn.parse(Sql.ask(server, "SELECT pg_current_wal_flush_lsn()")));
    engine.close();

    // Nobody listens: the server keeps what it could not archive.
    count(3);
    final String first = endSegment();
    Instant two = count(4);
    final String kept = endSegment();
    open(true);
    awaitArchived(kept);
    engine.close();
    Instant three = count(5);
    final String next = endSegment();
    Sql.execute(server, "SELECT pg_create_restore_point('in the archive')");
    count(6);
    final String last = endSegment();
    open(true);
    awaitArchived(last);

    assertEquals("2 up to 2", highest(RecoveryPoint.at(one)));
    assertEquals("4 up to 4", highest(RecoveryPoint.at(two)));
    assertEquals("5 up to 5", highest(RecoveryPoint.at(three)));
    assertEquals("5 up to 5", highest(RecoveryPoint.atMark("in the archive")));
    assertEquals("6 up to 6", highest(RecoveryPoint.latest()));
    assertListed(one, List.of(first, kept, next, last));
    assertFound(one);
  }

  /** What is listed are the names that the server itself gave to the segments. */
  private void assertListed(Instant from, List<String> names) throws Exception {
    List<Coverage> streams = engine.catalog().streams();
    assertEquals(1, streams.size());
    WalListing listing = WalListing.of(streams.get(0));
    List<WalListing.Segment> segments = listing.segments(from, Sql.now(server));

    assertEquals(names, segments.stream().map(WalListing.Segment::name).toList());
    assertTrue(segments.stream().allMatch(WalListing.Segment::isComplete), segments.toString());
    assertEquals(List.of(), listing.gaps());
  }

  /** The commit of 5 is found by restoring as the one that made it 5. */
  private void assertFound(Instant from) throws Exception {
    List<RecordedCommit> commits = commits(from);
    assertEquals(4, commits.size(), commits.toString());

    LastGoodPoint.Found found = find(commits, 5);

    assertEquals(2, found.trials());
    assertEquals(commits.get(1), found.lastGood());
    assertEquals(commits.get(2), found.firstBad());
    assertEquals("4 up to 4", highest(found.lastGood().point()));
  }

  private List<RecordedCommit> commits(Instant from) throws Exception {
    WalReader reader = new WalReader(from, Sql.now(server));
    engine.planRestore(
        RestoreRequest.at(RecoveryPoint.latest()).with(owner).target("database", reader));
    return reader.commits;
  }

  /** Each trial restores, starts what was restored, and looks for the bad number. */
  private LastGoodPoint.Found find(List<RecordedCommit> commits, int bad) throws Exception {
    Path scratch = root.resolve("scratch");
    PostgresIntegrity isGood =
        PostgresIntegrity.standard()
            .bringingAmcheck()
            .superuser(PostgresServer.USER)
            .expect("postgres", "none", "SELECT count(*) FROM counter WHERE n = " + bad, "0");
    LastGoodPoint.Found found =
        LastGoodPoint.among(
            commits,
            new ScratchRestore(engine, "database", scratch, Sql.programs(server), isGood, owner));
    assertFalse(Files.exists(scratch));
    return found;
  }

  @Test
  void one_bad_commit_among_two_hundred_is_found_by_restoring_eight_times() throws Exception {
    start(17);
    open(true);
    engine.backup(BackupRequest.full().named("base")).requireGood();
    Instant begin = Sql.now(server);
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement()) {
      for (int n = 1; n <= 200; n++) {
        statement.execute("INSERT INTO counter VALUES (" + n + ")");
      }
    }
    awaitArchived(endSegment());
    List<RecordedCommit> commits = commits(begin);
    assertEquals(200, commits.size());

    LastGoodPoint.Found found = find(commits, 137);

    assertTrue(found.trials() <= 8, found.toString());
    assertEquals(commits.get(135), found.lastGood());
    assertEquals(commits.get(136), found.firstBad());
  }

  @Test
  void while_the_store_fails_the_server_keeps_its_segments_and_all_arrive_later() throws Exception {
    start(17);
    AtomicBoolean isBroken = new AtomicBoolean();
    store =
        HookedStore.on(
            sink,
            operation -> {
              if (isBroken.get() && operation.startsWith("put")) {
                throw new IOException("no store");
              }
            });
    open(true);
    count(1);
    awaitArchived(endSegment());
    isBroken.set(true);
    count(2);
    String kept = endSegment();
    count(3);
    final String behind = endSegment();
    while (wal.status().state() != StreamStatus.State.WAITING) {
      assertNotSame(StreamStatus.State.FAILED, wal.status().state(), wal.status()::toString);
      Sql.ask(server, "SELECT pg_sleep(0.05)");
    }
    assertEquals(
        "t", Sql.ask(server, "SELECT last_archived_wal < '" + kept + "' FROM pg_stat_archiver"));
    isBroken.set(false);
    awaitArchived(behind);

    WalListing listing = WalListing.of(engine.catalog().streams().get(0));
    assertTrue(
        listing.segments().stream()
            .map(WalListing.Segment::name)
            .toList()
            .containsAll(List.of(kept, behind)));
    assertEquals(List.of(), listing.gaps());
  }

  /** Restores nothing: it reads what was recorded. */
  private static final class WalReader implements RestoreTarget {
    private final Instant from;
    private final Instant to;
    private List<RecordedCommit> commits = List.of();

    WalReader(Instant from, Instant to) {
      this.from = from;
      this.to = to;
    }

    @Override
    public TargetDescription describe() {
      return new TargetDescription("nowhere", Map.of());
    }

    @Override
    public boolean accepts(SourceKind kind) {
      return true;
    }

    @Override
    public void plan(RestorePlanning planning) throws IOException {
      commits = RecordedCommit.in(planning.recorded().orElseThrow(), 1, from, to);
      planning.state(
          new TargetState(TargetState.Occupancy.ABSENT, Digest.ofContent(new byte[0]), "nowhere"));
    }

    @Override
    public void stage(RestoreSession session) {
      throw new AssertionError("only planned");
    }

    @Override
    public void publish(RestoreSession session) {
      throw new AssertionError("only planned");
    }

    @Override
    public void rollBack(RestoreSession session) {}
  }
}
