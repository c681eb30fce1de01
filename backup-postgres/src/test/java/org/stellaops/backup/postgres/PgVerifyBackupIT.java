package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.postgres.fixture.PostgresTools;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** PostgreSQL's own tools accept what we store and what we restore. */
@Tag("interop")
@ParameterizedClass(name = "PostgreSQL {0}")
@ValueSource(ints = {15, 16, 17, 18})
class PgVerifyBackupIT {
  private static final String CONTENT = "backup successfully verified";

  @TempDir Path directory;

  @Parameter int major;

  private PostgresTools tools;
  private Captured captured;

  @BeforeEach
  void capture() throws Exception {
    tools = new PostgresTools(major);
    Path space = Files.createDirectory(directory.resolve("space-was"));
    try (PostgresServer server = PostgresServer.start(major, directory.resolve("data"))) {
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
    assertEquals(CONTENT, tools.run("pg_verifybackup", restored()));
  }

  @Test
  void pg_verifybackup_finds_what_was_changed_after_the_restore() throws Exception {
    Path data = restored();
    Files.writeString(data.resolve("PG_VERSION"), "51\n");

    PostgresTools.Result result = tools.attempt("pg_verifybackup", data);

    assertEquals(1, result.exit());
    assertTrue(result.text().contains("checksum mismatch for file \"PG_VERSION\""), result::text);
  }

  @Test
  void stock_tools_alone_restore_what_is_stored() throws Exception {
    Path data = Files.createDirectory(directory.resolve("by-hand"));
    String oid = captured.names().get(0).value().replace(".tar", "");
    Path space = Files.createDirectory(directory.resolve("space-was"));
    Path stored = directory.resolve("captured");

    run("tar", "--no-same-owner", "-xf", stored.resolve("base.tar"), "-C", data);
    run("tar", "--no-same-owner", "-xf", stored.resolve(oid + ".tar"), "-C", space);
    Files.copy(stored.resolve("backup_manifest"), data.resolve("backup_manifest"));
    Files.createSymbolicLink(data.resolve("pg_tblspc").resolve(oid), space);

    assertEquals(CONTENT, tools.run("pg_verifybackup", data));
    run("chmod", "-R", "u=rwX,go=", data);
    try (PostgresServer server = PostgresServer.start(major, data)) {
      assertEquals("100000", Clusters.single(server, "SELECT count(*) FROM t"));
    }
  }

  private Path restored() throws Exception {
    Path data = directory.resolve("restored");
    RestoreHarness.of(PostgresTarget.directory(data), captured).restore();
    return data;
  }

  private static void run(Object... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(Arrays.stream(command).map(Object::toString).toList())
            .inheritIO()
            .start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), () -> command[0] + " does not end");
    assertEquals(0, process.exitValue(), () -> command[0] + " failed");
  }
}
