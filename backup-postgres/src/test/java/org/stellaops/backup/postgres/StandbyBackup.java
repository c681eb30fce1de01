package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CheckResult.Verdict;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.postgres.fixture.PostgresTools;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** A standby is captured as a primary is, and what is restored of it is a primary. */
@Timeout(300)
abstract class StandbyBackup {
  private static final String DIGEST =
      "SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM frozen t";
  private static final String LAST_COMMIT =
      "SELECT (extract(epoch FROM max(pg_xact_commit_timestamp(xmin))) * 1000000)::bigint"
          + " FROM ticks";
  private static final String CHECKPOINT_TIME =
      "SELECT extract(epoch FROM checkpoint_time)::bigint * 1000000 FROM pg_control_checkpoint()";

  @TempDir static Path directory;

  private static Path cluster;
  private static PostgresServer primary;
  private static PostgresServer standby;
  private static long replayedBefore;
  private static long committedAfter;
  private static Captured captured;

  @Parameter int major;

  @TempDir Path fresh;

  @BeforeParameterizedClassInvocation
  static void captureUnderLoad(int major) throws Exception {
    cluster = Files.createDirectory(directory.resolve("cluster-" + major));
    primary =
        PostgresServer.start(
            PostgresBinaries.of(major), cluster.resolve("primary"), settings(major));
    Clusters.execute(
        primary,
        "CREATE TABLE frozen AS SELECT g AS id, repeat(md5(g::text), 4) AS filler"
            + " FROM generate_series(1, 30000) g",
        "ALTER TABLE frozen ADD PRIMARY KEY (id)",
        TickingLoad.TABLE);
    standby = Standbys.of(primary, cluster.resolve("standby"), settings(major));
    try (TickingLoad load = new TickingLoad(primary)) {
      load.waitForCommits(50);
      Standbys.await(standby, "SELECT count(*) >= 50 FROM ticks");
      replayedBefore = Long.parseLong(Clusters.single(standby, "SELECT count(*) FROM ticks"));
      captured = harness(standby).spoolTo(cluster.resolve("captured")).capture();
      committedAfter = load.stop();
    }
    Standbys.awaitReplayed(standby, primary);
  }

  @AfterParameterizedClassInvocation
  static void stop() throws IOException {
    standby.close();
    primary.close();
  }

  @Test
  void what_is_restored_proves_to_be_a_sound_primary_with_the_rows_of_the_standby()
      throws Exception {
    Path data = fresh.resolve("data");
    RestoreHarness harness =
        RestoreHarness.of(
            PostgresTarget.directory(data)
                .provenBy(
                    RestoredClusters.programs(major),
                    PostgresIntegrity.standard().bringingAmcheck()),
            captured);

    var planned = harness.restore();

    assertTrue(planned.toString().contains("captured from a standby"), planned::toString);
    assertEquals(
        List.of(PostgresFailure.RESTORED_AS_PRIMARY, PostgresFailure.PROVEN),
        harness.findings().stream().map(Finding::code).toList());
    try (PostgresServer restored = start(data)) {
      assertEquals("f", Clusters.single(restored, "SELECT pg_is_in_recovery()"));
      assertEquals(Clusters.single(primary, DIGEST), Clusters.single(restored, DIGEST));
      long rows = Long.parseLong(Clusters.single(restored, "SELECT count(*) FROM ticks"));
      assertEquals(rows, Long.parseLong(Clusters.single(restored, "SELECT max(id) FROM ticks")));
      assertTrue(
          rows >= replayedBefore && rows <= committedAfter,
          rows + " rows, before " + replayedBefore + ", after " + committedAfter);
      assertFollowsNobody(restored);
    }
  }

  @Test
  @Tag("interop")
  void a_restored_directory_is_what_the_manifest_says_but_for_the_signal() throws Exception {
    Path data = restored(captured);

    assertFalse(Files.exists(data.resolve("standby.signal")));
    assertTrue(Files.readString(data.resolve("backup_manifest")).contains("\"standby.signal\""));
    assertEquals(List.of(), VerifiedDirectory.problems(data));
    assertEquals(
        "backup successfully verified", new PostgresTools(major).run("pg_verifybackup", data));
  }

  @Test
  @Tag("interop")
  void no_instant_is_promised_that_is_before_a_commit_of_the_capture() throws Exception {
    Path data = restored(captured);

    try (PostgresServer restored = start(data)) {
      Instant last = micros(Clusters.single(restored, LAST_COMMIT));
      assertFalse(recoverableFrom(captured).isBefore(last), captured + ", " + last);
    }
  }

  @Test
  void a_capture_says_that_it_is_of_a_standby_and_is_good() throws Exception {
    assertEquals("standby", captured.source().properties().get("server-role"));
    assertEquals(List.of(), captured.findings());
    Clusters.requireNoWalSender(standby);
  }

  @Test
  void every_check_passes_before_a_capture_that_works() throws Exception {
    List<CheckResult> checks = CaptureHarness.checks(PostgresSource.physical(standby.connection()));

    checks.forEach(check -> assertEquals(Verdict.PASS, check.verdict(), check::toString));
    assertEquals(8, checks.size(), checks::toString);
  }

  @Test
  @Timeout(60)
  void an_idle_primary_holds_up_nothing_and_the_wal_that_came_suffices() throws Exception {
    Standbys.checkpoint(standby, primary);
    Captured idle = harness(standby).capture();

    assertEquals(earliest(), recoverableFrom(idle));
    Path data = restored(idle);
    try (PostgresServer restored = start(data)) {
      assertEquals(Clusters.single(primary, DIGEST), Clusters.single(restored, DIGEST));
      assertFollowsNobody(restored);
    }
  }

  @Test
  @Tag("interop")
  void what_follows_a_promotion_upstream_meanwhile_fails_the_capture() throws Exception {
    try (PostgresServer middle = Standbys.of(primary, fresh.resolve("middle"), settings(major));
        PostgresServer leaf = Standbys.of(middle, fresh.resolve("leaf"), settings(major))) {
      var source =
          new SourceWithHook(
              PostgresSource.physical(leaf.connection()),
              () -> {
                Standbys.promote(middle);
                Standbys.checkpoint(leaf, middle);
              });

      var e =
          assertThrows(
              BackupException.Source.class,
              () -> CaptureHarness.of(source).spoolTo(fresh.resolve("spool")).capture());

      assertEquals(PostgresFailure.TIMELINE_CHANGED, e.code(), e::getMessage);
      harness(leaf).capture();
    }
  }

  @Test
  @Tag("interop")
  void a_standby_that_is_promoted_meanwhile_fails_the_capture() throws Exception {
    try (PostgresServer other = Standbys.of(primary, fresh.resolve("other"), settings(major))) {
      Standbys.awaitReplayed(other, primary);
      var source =
          new SourceWithHook(
              PostgresSource.physical(other.connection()), () -> Standbys.promote(other));

      var e =
          assertThrows(
              BackupException.Source.class,
              () -> CaptureHarness.of(source).spoolTo(fresh.resolve("spool")).capture());

      assertEquals(PostgresFailure.STANDBY_PROMOTED, e.code(), e::getMessage);
      Clusters.requireNoWalSender(other);
      assertEquals(null, harness(other).capture().source().properties().get("server-role"));
    }
  }

  @Test
  void pages_that_the_primary_writes_in_part_fail_the_capture() throws Exception {
    PostgresSource source = PostgresSource.physical(standby.connection());
    var switchedOff = new SourceWithHook(source, () -> wholePages("off"));
    try {
      var during =
          assertThrows(
              BackupException.Source.class,
              () -> CaptureHarness.of(switchedOff).spoolTo(fresh.resolve("spool")).capture());
      assertEquals(PostgresFailure.FULL_PAGE_WRITES_OFF, during.code(), during::getMessage);
      var before = assertThrows(BackupException.Source.class, () -> harness(standby).capture());
      assertEquals(PostgresFailure.FULL_PAGE_WRITES_OFF, before.code(), before::getMessage);
      CheckResult check = check(source);
      assertEquals(Verdict.FAIL, check.verdict(), check::toString);
      assertTrue(check.remedy().startsWith("on the primary: ALTER SYSTEM"), check::toString);
    } finally {
      wholePages("on");
    }
    assertEquals(Verdict.PASS, check(source).verdict());
    harness(standby).capture();
  }

  @Test
  @Tag("interop")
  void an_increment_needs_the_standby_to_have_replayed_more_and_restores_to_a_primary()
      throws Exception {
    Captured full = harness(standby).capture();

    Captured again = harness(standby).parent(full).capture();
    Clusters.execute(primary, "UPDATE frozen SET filler = 'changed' WHERE id % 1000 = 0");
    Standbys.checkpoint(standby, primary);
    // Wakes what summarizes its WAL, which looks every half minute where little happens.
    Clusters.execute(standby, "SELECT pg_reload_conf()");
    Captured increment = harness(standby).parent(full).capture();

    assertEquals(List.of(PostgresFailure.CAPTURED_IN_FULL), codes(again));
    if (major < Increment.OLDEST_MAJOR) {
      assertEquals(List.of(PostgresFailure.CAPTURED_IN_FULL), codes(increment));
    } else {
      assertEquals(full, increment.parent().orElseThrow());
      assertTrue(
          again.findings().get(0).found().contains("the server refused"),
          again.findings()::toString);
    }
    Path data = restored(increment);
    assertEquals(List.of(), VerifiedDirectory.problems(data));
    try (PostgresServer restored = start(data)) {
      assertEquals(Clusters.single(primary, DIGEST), Clusters.single(restored, DIGEST));
      assertFollowsNobody(restored);
    }
  }

  private Path restored(Captured from) throws IOException {
    Path data = fresh.resolve("data");
    RestoreHarness.of(PostgresTarget.directory(data), from).restore();
    return data;
  }

  /** It takes rows, and does not look for the primary that its settings still name. */
  private static void assertFollowsNobody(PostgresServer restored) throws SQLException {
    assertTrue(
        Clusters.single(restored, "SHOW primary_conninfo").contains("port=" + primary.port()));
    assertEquals("0", Clusters.single(restored, "SELECT count(*) FROM pg_stat_wal_receiver"));
    Clusters.execute(restored, "INSERT INTO ticks VALUES (-1, 'written by the restored one')");
  }

  /** Has the primary write whole pages, or not, and the standby know it. */
  private static void wholePages(String setting) throws SQLException {
    Clusters.execute(
        primary, "ALTER SYSTEM SET full_page_writes = " + setting, "SELECT pg_reload_conf()");
    Standbys.await(primary, "SELECT current_setting('full_page_writes') = '" + setting + "'");
    Standbys.checkpoint(standby, primary);
  }

  /** On what the primary wrote rests what can be promised of an idle standby. */
  private static Instant earliest() throws SQLException {
    Instant checkpoint = micros(Clusters.single(standby, CHECKPOINT_TIME)).plusSeconds(2);
    Instant commit = micros(Clusters.single(standby, LAST_COMMIT));
    return commit.isAfter(checkpoint) ? commit : checkpoint;
  }

  private static CheckResult check(PostgresSource source) throws IOException {
    return CaptureHarness.checks(source).stream()
        .filter(check -> check.id().equals("check.postgres.standby"))
        .findFirst()
        .orElseThrow();
  }

  private static CaptureHarness harness(PostgresServer server) {
    return CaptureHarness.of(PostgresSource.physical(server.connection()));
  }

  private static List<Object> codes(Captured of) {
    return of.findings().stream().<Object>map(Finding::code).toList();
  }

  private static Instant recoverableFrom(Captured of) {
    return of.source().header().span().orElseThrow().recoverableFrom();
  }

  private static Instant micros(String sinceEpoch) {
    return Instant.EPOCH.plusNanos(Long.parseLong(sinceEpoch) * 1000);
  }

  private PostgresServer start(Path data) throws IOException {
    return PostgresServer.start(PostgresBinaries.of(major), data, settings(major));
  }

  private static Map<String, String> settings(int major) {
    Map<String, String> settings =
        new TreeMap<>(Map.of("wal_keep_size", "256MB", "track_commit_timestamp", "on"));
    if (major >= Increment.OLDEST_MAJOR) {
      settings.put("summarize_wal", "on");
    }
    return settings;
  }
}
