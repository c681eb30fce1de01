package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CheckResult.Verdict;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.postgres.fixture.PostgresTools;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** A server that can compress, which is a distribution's own, and those that cannot. */
@Tag("interop")
class ServerCompressionIT {
  private static final int MAJOR = 15;

  @TempDir static Path directory;

  private static final PostgresTools tools = new PostgresTools(MAJOR);
  private static PostgresServer server;

  @BeforeAll
  static void start() throws Exception {
    server =
        PostgresServer.start(
            tools.server(), directory.resolve("data"), Map.of("autovacuum", "off"));
    Path space = Files.createDirectory(directory.resolve("space"));
    Clusters.execute(
        server,
        "CREATE TABLESPACE far LOCATION '" + space + "'",
        "CREATE TABLE t TABLESPACE far AS SELECT g AS id, md5(g::text) FROM"
            + " generate_series(1, 100000) AS g",
        "VACUUM (FREEZE, ANALYZE)",
        "CHECKPOINT");
  }

  @AfterAll
  static void stop() throws IOException {
    server.close();
  }

  @Test
  void archives_are_the_same_bytes_whether_or_not_the_server_compressed_them() throws Exception {
    String oid = Clusters.single(server, "SELECT oid FROM pg_tablespace WHERE spcname = 'far'");
    Path plain = directory.resolve("plain");
    Path compressed = directory.resolve("compressed");

    capture(ServerCompression.OFF, plain);
    capture(ServerCompression.ZSTD, compressed);

    assertEquals(-1, Files.mismatch(plain.resolve(oid + ".tar"), compressed.resolve(oid + ".tar")));
    assertEquals(members(plain), members(compressed));
  }

  @Test
  void pg_verifybackup_accepts_a_restored_directory_and_a_server_starts_on_it() throws Exception {
    Path data = directory.resolve("restored");
    Captured captured = capture(ServerCompression.ZSTD, directory.resolve("captured"));
    String oid = Clusters.single(server, "SELECT oid FROM pg_tablespace WHERE spcname = 'far'");

    RestoreHarness.of(
            PostgresTarget.directory(data)
                .tablespace(Long.parseLong(oid), directory.resolve("space-restored")),
            captured)
        .restore();

    assertTrue(
        tools
            .run("pg_verifybackup", "--ignore=tablespace_map", data)
            .endsWith("backup successfully verified"));
    try (PostgresServer restored = PostgresServer.start(tools.server(), data, Map.of())) {
      assertEquals("100000", Clusters.single(restored, "SELECT count(*) FROM t"));
    }
  }

  @Test
  void the_check_finds_that_it_can_compress() throws Exception {
    assertEquals(Verdict.PASS, check(server));
  }

  @ParameterizedTest
  @ValueSource(ints = {15, 16, 18})
  void a_server_without_zstd_is_told_before_and_refuses(int major, @TempDir Path other)
      throws Exception {
    try (PostgresServer without = PostgresServer.start(major, other.resolve("data"))) {
      CaptureHarness harness = CaptureHarness.of(source(without, ServerCompression.ZSTD));

      var e = assertThrows(BackupException.Source.class, harness::capture);

      assertEquals(PostgresFailure.COMPRESSION_REFUSED, e.code());
      assertEquals(Verdict.FAIL, check(without));
      Clusters.requireNoWalSender(without);
    }
  }

  private static Verdict check(PostgresServer of) throws IOException {
    return CaptureHarness.checks(source(of, ServerCompression.ZSTD)).stream()
        .filter(check -> check.id().equals("check.postgres.server-compression"))
        .map(CheckResult::verdict)
        .findFirst()
        .orElseThrow();
  }

  private static Captured capture(ServerCompression compression, Path to) throws IOException {
    return CaptureHarness.of(source(server, compression)).spoolTo(to).capture();
  }

  private static PostgresSource source(PostgresServer of, ServerCompression compression) {
    return PostgresSource.physical(of.connection()).serverCompression(compression);
  }

  /** Files by path, with their size, but for what each backup has of its own. */
  private static Map<String, Long> members(Path captured) throws IOException {
    Map<String, Long> members = new TreeMap<>();
    try (InputStream file = Files.newInputStream(captured.resolve("base.tar"));
        TarArchiveInputStream tar = new TarArchiveInputStream(new BufferedInputStream(file))) {
      for (TarArchiveEntry e = tar.getNextEntry(); e != null; e = tar.getNextEntry()) {
        if (!e.getName().startsWith("pg_wal/")) {
          members.put(e.getName(), e.getSize());
        }
      }
    }
    return members;
  }
}
