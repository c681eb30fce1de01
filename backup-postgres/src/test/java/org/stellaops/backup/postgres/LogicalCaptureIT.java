package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CheckResult.Verdict;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;

/** What a capture makes of the programs it runs; these are scripts in their place. */
class LogicalCaptureIT {
  private static final int MAJOR = 17;
  private static final String PASSWORD = "s3cret:with\\both";
  private static final String VERSION =
      "#!/bin/sh\n[ \"$1\" = --version ] && echo \"x (PostgreSQL) 17.1\" && exit\n";

  @TempDir static Path directory;

  private static PostgresServer server;

  @TempDir Path programs;

  @BeforeAll
  static void start() throws Exception {
    server = PostgresServer.start(MAJOR, directory.resolve("data"));
    Clusters.execute(
        server,
        "CREATE ROLE dumper SUPERUSER LOGIN PASSWORD '" + PASSWORD + "'",
        "CREATE ROLE plain LOGIN PASSWORD 'plain'",
        "CREATE TABLE hidden (id int)",
        "ALTER TABLE hidden ENABLE ROW LEVEL SECURITY",
        "CREATE DATABASE \"sales & co\"");
  }

  @AfterAll
  static void stop() throws IOException {
    server.close();
  }

  @BeforeEach
  void programsThatWork() throws IOException {
    program("pg_dump", "echo archive");
    program("pg_dumpall", "echo globals");
  }

  @Test
  void each_database_has_an_archive_and_its_traits() throws Exception {
    Captured captured = CaptureHarness.of(source("dumper", PASSWORD)).capture();

    String oid =
        Clusters.single(server, "SELECT oid FROM pg_database WHERE datname = 'sales & co'");
    assertEquals(
        List.of("globals.sql", "postgres.dump", "oid." + oid + ".dump"),
        captured.names().stream().map(ArtifactName::value).toList());
    assertEquals("sales & co", captured.source().properties().get("oid." + oid + ".dump/name"));
    assertEquals("17.1", captured.source().versions().get("pg_dump"));
  }

  @Test
  void the_password_is_in_a_private_file_only_and_that_is_removed() throws Exception {
    program(
        "pg_dump",
        "tr '\\0' '\\n' < /proc/$$/cmdline | grep s3cret; env | grep s3cret; echo $PGPASSFILE;"
            + " stat -c %a $PGPASSFILE; cat $PGPASSFILE");

    Captured captured =
        CaptureHarness.of(source("dumper", PASSWORD).databases("postgres")).capture();

    List<String> seen =
        new String(captured.bytes("postgres.dump"), StandardCharsets.UTF_8).lines().toList();
    assertEquals(List.of("600", "*:*:*:*:s3cret\\:with\\\\both"), seen.subList(1, seen.size()));
    assertFalse(Files.exists(Path.of(seen.get(0)).getParent()));
  }

  @Test
  void a_dump_that_fails_is_no_artifact_and_says_why() throws Exception {
    program("pg_dump", "echo half; echo 'pg_dump: error: the disk is on fire' >&2; exit 1");

    var e = assertThrows(BackupException.Source.class, () -> capture("dumper", PASSWORD));

    assertEquals(PostgresFailure.PROGRAM_FAILED, e.code());
    assertTrue(e.getMessage().contains("the disk is on fire"), e.getMessage());
  }

  @Test
  void a_dump_that_was_killed_is_no_artifact() throws Exception {
    program("pg_dump", "echo half; kill -9 $$");

    var e = assertThrows(BackupException.Source.class, () -> capture("dumper", PASSWORD));

    assertEquals(PostgresFailure.PROGRAM_FAILED, e.code());
    assertTrue(e.getMessage().contains("status 137"), e.getMessage());
  }

  @Test
  void rows_that_a_policy_hides_fail_the_capture_and_the_check() throws Exception {
    program(
        "pg_dump",
        "echo 'pg_dump: error: query would be affected by row-level security policy for table"
            + " \"hidden\"' >&2; exit 1");
    LogicalSource source = source("plain", "plain").withoutRolePasswords().databases("postgres");

    var e = assertThrows(BackupException.Source.class, () -> CaptureHarness.of(source).capture());
    Map<String, CheckResult> checks = checks(source);

    assertEquals(PostgresFailure.ROW_SECURITY, e.code());
    assertTrue(e.getMessage().contains("\"hidden\""), e.getMessage());
    CheckResult rows = checks.get("check.postgres.row-security");
    assertEquals(Verdict.FAIL, rows.verdict());
    assertTrue(rows.evidence().contains("[hidden]"), rows.evidence());
    assertEquals("ALTER ROLE \"plain\" BYPASSRLS;", rows.remedy());
  }

  @Test
  void programs_that_are_too_old_or_not_there_are_named() throws Exception {
    program("pg_dump", "");
    Files.writeString(
        programs.resolve("pg_dump"), "#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.18 (Debian)'\n");
    LogicalSource missing = LogicalSource.of(server.connection(), PostgresPrograms.in(directory));

    var tooOld = assertThrows(BackupException.Refused.class, () -> capture("dumper", PASSWORD));
    var notThere =
        assertThrows(BackupException.Refused.class, () -> CaptureHarness.of(missing).capture());

    assertEquals(PostgresFailure.PROGRAM_VERSION, tooOld.code());
    assertTrue(tooOld.getMessage().contains("found pg_dump 15.18"), tooOld.getMessage());
    assertEquals(PostgresFailure.PROGRAM_MISSING, notThere.code());
    assertEquals(Verdict.FAIL, checks(missing).get("check.postgres.pg_dump").verdict());
  }

  @Test
  void a_capture_that_is_stopped_ends_its_program() throws Exception {
    Path pid = directory.resolve("pid");
    program("pg_dump", "echo $$ > " + pid + "; echo half; exec sleep 600");
    LogicalSource source = source("dumper", PASSWORD).databases("postgres");

    assertThrows(
        BackupException.Stopped.class,
        () -> CaptureHarness.of(source).stopAfter("globals\nhalf\n".length()).capture());

    long started = Long.parseLong(Files.readString(pid).strip());
    ProcessHandle.of(started).ifPresent(process -> process.onExit().join());
  }

  @Test
  void every_check_passes_before_a_capture_that_works() throws Exception {
    Map<String, CheckResult> checks = checks(source("dumper", PASSWORD));

    checks.values().forEach(check -> assertEquals(Verdict.PASS, check.verdict(), check::toString));
    assertEquals(5, checks.size(), checks::toString);
  }

  @Test
  void a_database_that_is_not_there_is_missing() {
    LogicalSource source = source("dumper", PASSWORD).databases("nowhere");

    var e = assertThrows(BackupException.Source.class, () -> CaptureHarness.of(source).capture());

    assertEquals(PostgresFailure.DATABASE_MISSING, e.code());
  }

  private Captured capture(String user, String password) throws IOException {
    return CaptureHarness.of(source(user, password)).capture();
  }

  private LogicalSource source(String user, String password) {
    return PostgresSource.logical(
        PostgresConnection.to("127.0.0.1")
            .port(server.port())
            .user(user)
            .password(() -> Secret.of(password))
            .build(),
        PostgresPrograms.in(programs));
  }

  private static Map<String, CheckResult> checks(LogicalSource source) throws IOException {
    return CaptureHarness.checks(source).stream()
        .collect(Collectors.toMap(CheckResult::id, c -> c, (one, other) -> other));
  }

  private void program(String name, String script) throws IOException {
    Path file = programs.resolve(name);
    Files.writeString(file, VERSION + script + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }
}
