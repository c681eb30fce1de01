package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.postgres.internal.local.LocalServer;
import org.stellaops.backup.postgres.internal.wire.Logins;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;
import org.stellaops.backup.testkit.StopSwitch;

/** A server on a restored cluster: private while it runs, explained when it does not, then gone. */
@Tag("interop")
class LocalServerIT {
  private static final int MAJOR = 17;
  private static final Duration LONG_ENOUGH = Duration.ofMinutes(2);

  @TempDir static Path directory;

  private static Captured captured;
  private static Path pristine;

  @TempDir Path fresh;

  @BeforeAll
  static void capture() throws Exception {
    try (PostgresServer server = PostgresServer.start(MAJOR, directory.resolve("data"))) {
      captured =
          CaptureHarness.of(PostgresSource.physical(server.connection()))
              .spoolTo(directory.resolve("captured"))
              .capture();
    }
    pristine = directory.resolve("restored");
    RestoreHarness.of(PostgresTarget.directory(pristine), captured).restore();
  }

  @Test
  void a_restored_cluster_opens_and_is_reached_by_its_owner_only() throws Exception {
    Path data = restored();
    configure(
        data,
        "archive_mode = on",
        "archive_command = 'false'",
        "listen_addresses = '*'",
        "synchronous_standby_names = 'nobody'",
        "ssl = on",
        "logging_collector = on");
    List<Lsn> replayed = new ArrayList<>();
    Path place;

    try (LocalServer server = start(data)) {
      server.awaitPrimary(LONG_ENOUGH, Stopping.never(), replayed::add);
      place = server.connection().socketDirectory().orElseThrow();

      assertEquals("", ask(server, "SHOW listen_addresses"));
      assertEquals("off", ask(server, "SHOW archive_mode"));
      assertEquals("1", ask(server, "CREATE TABLE t AS SELECT 1 AS one; SELECT one FROM t"));
      assertEquals(
          "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(place)));
    }

    assertFalse(Files.exists(data.resolve("postmaster.pid")));
    assertFalse(Files.exists(place));
    assertFalse(replayed.isEmpty());
  }

  @Test
  void a_cluster_whose_configuration_lies_elsewhere_starts_without_it() throws Exception {
    Path data = restored();
    Files.delete(data.resolve("postgresql.conf"));
    Files.delete(data.resolve("pg_hba.conf"));

    try (LocalServer server = start(data)) {
      server.awaitPrimary(LONG_ENOUGH, Stopping.never(), lsn -> {});
      assertEquals("f", ask(server, "SELECT pg_is_in_recovery()"));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "recovery_target_name = 'never'|TARGET_NOT_REACHED|recovery ended before configured",
        "recovery_target_lsn = '0/10'|TARGET_TOO_EARLY|requested recovery stop point is before",
        "shared_preload_libraries = 'no_such_library'|START_FAILED|no_such_library",
        "max_connections = 8|SETTINGS_TOO_LOW|max_connections = 8 is a lower setting"
      })
  void a_server_that_gives_up_is_explained_by_its_log(
      String setting, PostgresFailure expected, String words) throws Exception {
    Path data = restored();
    configure(data, setting, "restore_command = 'false'");
    Files.createFile(data.resolve("recovery.signal"));

    var e = assertThrows(BackupException.Target.class, () -> open(data, Stopping.never()));

    assertEquals(expected, e.code(), e.getMessage());
    assertTrue(e.getMessage().contains("FATAL:"), e.getMessage());
    assertTrue(e.getMessage().contains(words), e.getMessage());
    assertFalse(Files.exists(data.resolve("postmaster.pid")));
  }

  @Test
  void a_base_backup_without_its_wal_is_incomplete() throws Exception {
    Path data = restored();
    try (Stream<Path> wal = Files.list(data.resolve("pg_wal"))) {
      for (Path file : wal.filter(Files::isRegularFile).toList()) {
        Files.delete(file);
      }
    }

    var e = assertThrows(BackupException.Target.class, () -> open(data, Stopping.never()));

    assertEquals(PostgresFailure.WAL_INCOMPLETE, e.code(), e.getMessage());
  }

  @Test
  void a_recovery_that_pauses_at_its_target_is_reported_and_ended() throws Exception {
    Path data = restored();
    configure(
        data,
        "restore_command = 'false'",
        "recovery_target = 'immediate'",
        "recovery_target_action = 'pause'");
    Files.createFile(data.resolve("recovery.signal"));

    var e = assertThrows(BackupException.Target.class, () -> open(data, Stopping.never()));

    assertEquals(PostgresFailure.RECOVERY_NOT_ENDED, e.code(), e.getMessage());
    assertTrue(e.getMessage().contains("paused at"), e.getMessage());
    assertFalse(Files.exists(data.resolve("postmaster.pid")));
  }

  @Test
  void a_standby_is_not_started_for_its_recovery_never_ends() throws Exception {
    Path data = restored();
    Files.createFile(data.resolve("standby.signal"));

    var e = assertThrows(BackupException.Refused.class, () -> start(data));

    assertEquals(PostgresFailure.RECOVERY_NOT_ENDED, e.code());
  }

  @Test
  void a_role_that_the_cluster_does_not_know_is_refused_and_nothing_runs_on() throws Exception {
    Path data = restored();

    var e =
        assertThrows(
            BackupException.Target.class,
            () -> {
              try (LocalServer server =
                  LocalServer.start(RestoredClusters.programs(MAJOR), data, "stranger")) {
                server.awaitPrimary(LONG_ENOUGH, Stopping.never(), lsn -> {});
              }
            });

    assertEquals(PostgresFailure.LOGIN_REFUSED, e.code());
    assertFalse(Files.exists(data.resolve("postmaster.pid")));
  }

  @Test
  void a_run_that_is_cancelled_while_the_server_starts_leaves_no_process() throws Exception {
    Path data = restored();
    configure(data, "restore_command = 'sleep 600'");
    Files.createFile(data.resolve("recovery.signal"));
    StopSwitch stop = new StopSwitch();
    stop.stop();
    long pid;

    try (LocalServer server = start(data)) {
      pid = server.pid();
      assertThrows(
          BackupException.Stopped.class, () -> server.awaitPrimary(LONG_ENOUGH, stop, lsn -> {}));
    }

    assertFalse(ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false));
    assertFalse(Files.exists(data.resolve("postmaster.pid")));
  }

  @Test
  void a_deadline_ends_a_recovery_that_waits_for_wal() throws Exception {
    Path data = restored();
    configure(data, "restore_command = 'sleep 600'");
    Files.createFile(data.resolve("recovery.signal"));

    var e =
        assertThrows(
            BackupException.Target.class,
            () -> {
              try (LocalServer server = start(data)) {
                server.awaitPrimary(Duration.ofMillis(300), Stopping.never(), lsn -> {});
              }
            });

    assertEquals(PostgresFailure.RECOVERY_NOT_ENDED, e.code());
    assertFalse(Files.exists(data.resolve("postmaster.pid")));
  }

  @Test
  void the_server_of_somebody_else_is_left_alone() throws Exception {
    Path data = restored();
    try (LocalServer first = start(data)) {
      first.awaitPrimary(LONG_ENOUGH, Stopping.never(), lsn -> {});

      var e = assertThrows(BackupException.Target.class, () -> open(data, Stopping.never()));

      assertEquals(PostgresFailure.SERVER_RUNS, e.code(), e.getMessage());
      assertEquals("1", ask(first, "SELECT 1"));
    }
  }

  @Test
  void programs_of_another_version_are_refused_with_both_versions() throws Exception {
    Path data = restored();

    var e =
        assertThrows(
            BackupException.Refused.class,
            () -> LocalServer.start(RestoredClusters.programs(16), data, "postgres"));

    assertEquals(PostgresFailure.PROGRAM_VERSION, e.code());
    assertTrue(e.getMessage().contains("PostgreSQL 17, found postgres 16."), e.getMessage());
  }

  @Test
  void programs_that_are_not_there_are_missing() throws Exception {
    Path data = restored();

    var e =
        assertThrows(
            BackupException.Refused.class,
            () -> LocalServer.start(PostgresPrograms.in(fresh), data, "postgres"));

    assertEquals(PostgresFailure.PROGRAM_MISSING, e.code());
  }

  @Test
  void root_without_a_launcher_is_refused_before_the_server_refuses() throws Exception {
    Path data = restored();
    PostgresPrograms bare = PostgresPrograms.in(RestoredClusters.programs(MAJOR).directory());

    if (RestoredClusters.isRoot()) {
      var e =
          assertThrows(
              BackupException.Refused.class, () -> LocalServer.start(bare, data, "postgres"));
      assertEquals(PostgresFailure.RUNS_AS_ROOT, e.code());
    } else {
      LocalServer.start(bare, data, "postgres").close();
    }
  }

  @Test
  void a_restore_whose_invariant_fails_is_taken_back() throws Exception {
    Path data = fresh.resolve("data");
    PostgresIntegrity unmet =
        PostgresIntegrity.standard()
            .invariant("postgres", "nobody is alone", "SELECT false")
            .invariant("postgres", "answers", "SELECT 1 / 0 = 1")
            .answeringWithin(Duration.ofMillis(500))
            .invariant("postgres", "is quick", "SELECT pg_sleep(60) IS NOT NULL")
            .invariant("postgres", "has an answer", "SELECT true WHERE false")
            .invariant("nowhere", "is somewhere", "SELECT true");
    PostgresTarget target =
        PostgresTarget.directory(data).provenBy(RestoredClusters.programs(MAJOR), unmet);
    RestoreHarness harness = RestoreHarness.of(target, captured);

    var e = assertThrows(BackupException.Target.class, harness::restore);

    assertEquals(PostgresFailure.INTEGRITY_BROKEN, e.code());
    for (String expected :
        List.of(
            "nobody is alone: expected true, found false",
            "answers: 22012",
            "is quick: 57014",
            "has an answer: expected true, found no row",
            "is somewhere: there is no database nowhere")) {
      assertTrue(e.getMessage().contains(expected), e.getMessage());
    }
    try (Stream<Path> left = Files.list(fresh)) {
      assertEquals(List.of(), left.toList());
    }
  }

  private Path restored() throws IOException {
    return RestoredClusters.copy(pristine, fresh.resolve("data"));
  }

  private static void configure(Path data, String... lines) throws IOException {
    Files.write(data.resolve("postgresql.auto.conf"), List.of(lines), StandardOpenOption.APPEND);
  }

  private static LocalServer start(Path data) throws IOException {
    return LocalServer.start(RestoredClusters.programs(MAJOR), data, "postgres");
  }

  private static void open(Path data, Stopping stopping) throws IOException {
    try (LocalServer server = start(data)) {
      server.awaitPrimary(LONG_ENOUGH, stopping, lsn -> {});
    }
  }

  private static String ask(LocalServer server, String query) throws Exception {
    try (Connection sql = Logins.forQueries(server.connection());
        var statement = sql.createStatement()) {
      boolean isRows = statement.execute(query);
      while (!isRows) {
        isRows = statement.getMoreResults();
      }
      try (var rows = statement.getResultSet()) {
        rows.next();
        return rows.getString(1);
      }
    }
  }
}
