package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.postgres.fixture.PostgresTools;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** What is ours is a backup to PostgreSQL's own tools for increments, and the other way round. */
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

  @Test
  void increments_of_ours_become_the_same_files_as_in_its_hands() throws Exception {
    var tools = new PostgresTools(major);
    Path full = directory.resolve("full");
    Path ours = directory.resolve("ours");
    Path theirs = directory.resolve("theirs");
    Captured base;
    Captured increment;
    try (PostgresServer server = startSummarizing()) {
      Clusters.execute(
          server,
          "CREATE TABLE t AS SELECT generate_series(1, 200000) AS id",
          "CREATE TABLE shrinks AS SELECT generate_series(1, 200000) AS id",
          "CREATE TABLE goes AS SELECT 1 AS id");
      base = capture(server, "base", null);
      Clusters.execute(
          server,
          "INSERT INTO t SELECT generate_series(200001, 200100)",
          "UPDATE t SET id = -id WHERE id % 5000 = 0",
          "DELETE FROM shrinks WHERE id > 1000",
          "VACUUM shrinks",
          "DROP TABLE goes",
          "CREATE TABLE comes AS SELECT 1 AS id");
      increment = capture(server, "increment", base);
    }
    assertEquals(base, increment.parent().orElseThrow());
    RestoreHarness.of(PostgresTarget.directory(full), base).restore();
    RestoreHarness.of(PostgresTarget.directory(ours), increment).restore();

    tools.run("pg_combinebackup", full, unpacked(increment), "-o", theirs);

    assertEquals("backup successfully verified", tools.run("pg_verifybackup", ours));
    SortedMap<String, Digest> expected = files(theirs);
    assertTrue(expected.size() > 900, expected.size() + " files");
    assertEquals(expected, files(ours));
  }

  private Captured capture(PostgresServer server, String name, @Nullable Captured parent)
      throws Exception {
    CaptureHarness harness = CaptureHarness.of(PostgresSource.physical(server.connection()));
    if (parent != null) {
      harness.parent(parent);
    }
    return harness.spoolTo(Files.createDirectory(directory.resolve(name + "-captured"))).capture();
  }

  /** As the server sent it, by a stock tar. */
  private Path unpacked(Captured captured) throws Exception {
    Path to = Files.createDirectory(directory.resolve("unpacked"));
    Path tar = captured.file("base.tar").orElseThrow();
    Process process =
        new ProcessBuilder("tar", "-xf", tar.toString(), "-C", to.toString()).inheritIO().start();
    assertEquals(0, process.waitFor());
    Files.write(to.resolve("backup_manifest"), captured.bytes("backup_manifest"));
    return to;
  }

  /** All but the manifest, which lists them in another order. */
  private static SortedMap<String, Digest> files(Path root) throws IOException {
    SortedMap<String, Digest> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(root)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        String name = root.relativize(file).toString();
        if (!name.equals("backup_manifest")) {
          files.put(name, Digest.ofContent(Files.readAllBytes(file)));
        }
      }
    }
    return files;
  }

  private PostgresServer startSummarizing() throws Exception {
    return PostgresServer.start(
        PostgresBinaries.of(major), directory.resolve("data"), Map.of("summarize_wal", "on"));
  }

  private void restoreFull(PostgresServer server, Path to) throws Exception {
    RestoreHarness.of(PostgresTarget.directory(to), capture(server, "full", null)).restore();
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
