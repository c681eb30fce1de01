package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.postgres.fixture.PostgresTools;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** A full backup of ours is one to PostgreSQL's own tools for increments. */
@Tag("interop")
@ParameterizedClass(name = "PostgreSQL {0}")
@ValueSource(ints = {17, 18})
class PgCombineBackupIT {
  @TempDir Path directory;

  @Parameter int major;

  @Test
  void an_increment_made_by_pg_basebackup_combines_with_our_full() throws Exception {
    var tools = new PostgresTools(major);
    Path full = directory.resolve("full");
    Path increment = directory.resolve("increment");
    Path combined = directory.resolve("combined");
    try (PostgresServer server = startSummarizing()) {
      Clusters.execute(server, "CREATE TABLE t AS SELECT generate_series(1, 100000) AS id");
      restoreFull(server, full);
      Clusters.execute(server, "INSERT INTO t SELECT generate_series(100001, 100100)");
      tools.run(
          "pg_basebackup",
          "--dbname=" + address(server),
          "--incremental=" + full.resolve("backup_manifest"),
          "--checkpoint=fast",
          "--pgdata=" + increment);
    }

    tools.run("pg_combinebackup", full, increment, "-o", combined);

    assertEquals("backup successfully verified", tools.run("pg_verifybackup", combined));
    try (PostgresServer server = PostgresServer.start(major, combined)) {
      assertEquals("100100", Clusters.single(server, "SELECT count(*) FROM t"));
    }
  }

  private PostgresServer startSummarizing() throws Exception {
    return PostgresServer.start(
        PostgresBinaries.of(major), directory.resolve("data"), Map.of("summarize_wal", "on"));
  }

  private void restoreFull(PostgresServer server, Path to) throws Exception {
    Captured captured =
        CaptureHarness.of(PostgresSource.physical(server.connection()))
            .spoolTo(Files.createDirectory(directory.resolve("captured")))
            .capture();
    RestoreHarness.of(PostgresTarget.directory(to), captured).restore();
  }

  private static String address(PostgresServer server) {
    return server
        .password()
        .use(
            password ->
                "host=127.0.0.1 port=%d user=%s password=%s"
                    .formatted(server.port(), PostgresServer.USER, new String(password)));
  }
}
