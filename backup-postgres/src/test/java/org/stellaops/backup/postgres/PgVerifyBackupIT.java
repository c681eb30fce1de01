package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** PostgreSQL's own tools accept what we store and what we restore. */
@Tag("interop")
class PgVerifyBackupIT {
  /** Where Debian keeps the programs of a version. */
  private static final Path PROGRAMS = Path.of("/usr/lib/postgresql/15/bin");

  @TempDir Path directory;

  private Captured captured;

  @BeforeEach
  void capture() throws Exception {
    Path space = Files.createDirectory(directory.resolve("space-was"));
    try (PostgresServer server = PostgresServer.start(15, directory.resolve("data"))) {
      Clusters.execute(
          server,
          "CREATE TABLESPACE far LOCATION '" + space + "'",
          "CREATE TABLE t TABLESPACE far AS SELECT generate_series(1, 100000) AS id");
      captured =
          CaptureHarness.of(PostgresSource.physical(server.connection()))
              .spoolTo(directory.resolve("captured"))
              .capture();
    }
    Files.move(space, directory.resolve("space-lost"));
  }

  @Test
  void pg_verifybackup_accepts_a_restored_directory_with_its_wal() throws Exception {
    Path data = directory.resolve("restored");
    RestoreHarness.of(PostgresTarget.directory(data), captured).restore();

    assertEquals("backup successfully verified", run(program("pg_verifybackup"), data.toString()));
  }

  @Test
  void pg_verifybackup_finds_what_was_changed_after_the_restore() throws Exception {
    Path data = directory.resolve("restored");
    RestoreHarness.of(PostgresTarget.directory(data), captured).restore();
    Files.writeString(data.resolve("PG_VERSION"), "51\n");

    String said = run(program("pg_verifybackup"), data.toString());

    assertTrue(said.contains("checksum mismatch for file \"PG_VERSION\""), said);
  }

  @Test
  void stock_tools_alone_restore_what_is_stored() throws Exception {
    Path data = Files.createDirectory(directory.resolve("by-hand"));
    String oid = captured.names().get(0).value().replace(".tar", "");
    Path space = Files.createDirectory(directory.resolve("space-was"));
    Path stored = directory.resolve("captured");

    run(
        "tar",
        "--no-same-owner",
        "-xf",
        stored.resolve("base.tar").toString(),
        "-C",
        data.toString());
    run(
        "tar",
        "--no-same-owner",
        "-xf",
        stored.resolve(oid + ".tar").toString(),
        "-C",
        space.toString());
    Files.copy(stored.resolve("backup_manifest"), data.resolve("backup_manifest"));
    Files.createSymbolicLink(data.resolve("pg_tblspc").resolve(oid), space);

    assertEquals("backup successfully verified", run(program("pg_verifybackup"), data.toString()));
    run("chmod", "-R", "u=rwX,go=", data.toString());
    try (PostgresServer server = PostgresServer.start(15, data)) {
      assertEquals("100000", Clusters.single(server, "SELECT count(*) FROM t"));
    }
  }

  private static String program(String name) {
    Path program = PROGRAMS.resolve(name);
    assertTrue(Files.isExecutable(program), program + " is missing");
    return program.toString();
  }

  private String run(String... command) throws IOException, InterruptedException {
    Path output = Files.createTempFile(directory, "output", "");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), () -> command[0] + " does not end");
    try (Stream<String> lines = Files.lines(output)) {
      return String.join("\n", lines.toList());
    }
  }
}
