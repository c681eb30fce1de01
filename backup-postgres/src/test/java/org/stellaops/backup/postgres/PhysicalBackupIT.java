package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.testkit.ArtifactDamage;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;
import org.stellaops.backup.testkit.RestorePlanned;

/** The whole way, on every supported version: capture under load, restore, start, compare. */
@ParameterizedClass
@ValueSource(ints = {15, 16, 17, 18})
class PhysicalBackupIT {
  private static final String DIGEST_OF_FROZEN =
      "SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM frozen t";
  private static final String DIGEST_OF_REMOTE =
      "SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM remote t";
  private static final String DIGEST_OF_LARGE_OBJECT = "SELECT md5(lo_get(4711))";

  @TempDir static Path directory;

  private static Path cluster;
  private static PostgresServer server;
  private static Map<String, String> before;
  private static long committedBefore;
  private static long committedAfter;
  private static List<CheckResult> checks;
  private static Captured captured;

  @Parameter int major;

  @TempDir Path fresh;

  @BeforeParameterizedClassInvocation
  static void captureUnderLoad(int major) throws Exception {
    cluster = Files.createDirectory(directory.resolve("cluster-" + major));
    Path space = Files.createDirectory(cluster.resolve("space"));
    Map<String, String> settings = major < 17 ? Map.of() : Map.of("summarize_wal", "on");
    server = PostgresServer.start(PostgresBinaries.of(major), cluster.resolve("data"), settings);
    fill(space);
    before = digests(server);
    PostgresSource source = PostgresSource.physical(server.connection());
    checks = CaptureHarness.checks(source);
    try (TickingLoad load = new TickingLoad(server)) {
      committedBefore = load.waitForCommits(10);
      captured = CaptureHarness.of(source).spoolTo(cluster.resolve("captured")).capture();
      committedAfter = load.stop();
    }
  }

  @AfterParameterizedClassInvocation
  static void stop() throws IOException {
    server.close();
  }

  @Test
  void the_restored_cluster_starts_with_the_same_rows_and_what_was_committed_before()
      throws Exception {
    Path data = fresh.resolve("data");
    String oid = tablespace();
    Path space = fresh.resolve("space");
    RestoreHarness.of(
            PostgresTarget.directory(data).tablespace(Long.parseLong(oid), space), captured)
        .restore();

    try (PostgresServer restored = PostgresServer.start(major, data)) {
      assertEquals(before, digests(restored));
      long rows = Long.parseLong(Clusters.single(restored, "SELECT count(*) FROM ticks"));
      assertEquals(rows, Long.parseLong(Clusters.single(restored, "SELECT max(id) FROM ticks")));
      assertTrue(
          rows >= committedBefore && rows <= committedAfter,
          rows + " rows, committed before " + committedBefore + ", after " + committedAfter);
      assertEquals(
          space.toString(),
          Clusters.single(restored, "SELECT pg_tablespace_location(" + oid + ")"));
    }
  }

  @Test
  void a_restore_leaves_nothing_beside_and_lets_nobody_else_in() throws Exception {
    Path data = fresh.resolve("data");
    Path space = fresh.resolve("space");
    RestoreHarness.of(
            PostgresTarget.directory(data).tablespace(Long.parseLong(tablespace()), space),
            captured)
        .restore();

    try (Stream<Path> entries = Files.list(fresh)) {
      assertEquals(Set.of(data, space), entries.collect(Collectors.toSet()));
    }
    try (Stream<Path> files = Files.walk(data)) {
      for (Path file : files.filter(p -> !Files.isSymbolicLink(p)).toList()) {
        String mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
        assertEquals(Files.isDirectory(file) ? "rwx------" : "rw-------", mode, file::toString);
      }
    }
  }

  @Test
  void a_tablespace_that_is_not_mapped_is_not_written_over_the_one_that_is_there()
      throws Exception {
    PostgresTarget target = PostgresTarget.directory(fresh.resolve("data"));

    RestorePlanned planned = RestoreHarness.of(target, captured).plan();

    assertEquals(1, planned.blockers().size(), planned::toString);
    assertEquals(PostgresFailure.TABLESPACE_UNMAPPED, planned.blockers().get(0).code());
  }

  @Test
  void a_byte_that_changed_in_the_archive_is_reported_with_the_name_of_its_file() throws Exception {
    byte[] marker = "filler-of-frozen-row-15000".getBytes(StandardCharsets.US_ASCII);
    long offset = Clusters.find(captured.file("base.tar").orElseThrow(), marker);
    String file = Clusters.single(server, "SELECT pg_relation_filepath('frozen')");
    PostgresTarget target =
        PostgresTarget.directory(fresh.resolve("data"))
            .tablespace(Long.parseLong(tablespace()), fresh.resolve("space"));
    RestoreHarness harness =
        RestoreHarness.of(target, captured).damage("base.tar", ArtifactDamage.flip(offset));

    var e = assertThrows(BackupException.Corrupt.class, harness::restore);

    assertEquals(PostgresFailure.MANIFEST_DIFFERS, e.code());
    assertTrue(e.getMessage().contains(file + ": expected"), e.getMessage());
    try (Stream<Path> left = Files.list(fresh)) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void a_capture_says_what_it_is() throws Exception {
    assertEquals(
        List.of(tablespace() + ".tar", "base.tar", "backup_manifest"),
        captured.names().stream().map(ArtifactName::value).toList());
    assertTrue(captured.form("backup_manifest").isRemembered());
    CaptureSpan span = captured.source().header().span().orElseThrow();
    assertEquals(
        Clusters.single(server, "SELECT system_identifier FROM pg_control_system()"),
        span.start().lineage());
    assertEquals(1, span.start().branch());
    Lsn start = Lsn.parse(span.start().text());
    assertTrue(start.compareTo(Lsn.parse(span.end().text())) < 0, span::toString);
    assertTrue(captured.source().versions().get("postgres").startsWith(major + "."));
    assertEquals("on", captured.source().properties().get("data-checksums"));
    assertEquals(List.of(), captured.findings());
  }

  @Test
  void large_files_are_cut_free_of_their_headers() throws Exception {
    byte[] marker = "filler-of-frozen-row-1-".getBytes(StandardCharsets.US_ASCII);
    long inFirstPage = Clusters.find(captured.file("base.tar").orElseThrow(), marker);

    long chunk =
        captured.boundaries("base.tar").stream()
            .filter(at -> at <= inFirstPage)
            .reduce((first, second) -> second)
            .orElseThrow();

    assertTrue(inFirstPage - chunk < 8192, chunk + " is not the beginning of a table's file");
  }

  @Test
  void every_check_passes_before_a_capture_that_works() {
    checks.forEach(
        check -> assertEquals(CheckResult.Verdict.PASS, check.verdict(), check::toString));
    assertEquals(7, checks.size(), checks::toString);
  }

  @Test
  void no_wal_sender_outlives_the_capture() throws Exception {
    Clusters.requireNoWalSender(server);
  }

  private static void fill(Path space) throws SQLException {
    Clusters.execute(
        server,
        "CREATE TABLESPACE far LOCATION '" + space + "'",
        "CREATE TABLE frozen AS SELECT g AS id, 'filler-of-frozen-row-' || g || '-'"
            + " || repeat(md5(g::text), 4) AS filler FROM generate_series(1, 30000) g",
        "ALTER TABLE frozen ADD PRIMARY KEY (id)",
        "CREATE TABLE remote TABLESPACE far AS SELECT g AS id, md5(g::text) AS filler"
            + " FROM generate_series(1, 20000) g",
        "SELECT lo_from_bytea(4711, decode(repeat('5374656c6c61', 100000), 'hex'))",
        TickingLoad.TABLE);
  }

  private static Map<String, String> digests(PostgresServer server) throws SQLException {
    return Map.of(
        "frozen", Clusters.single(server, DIGEST_OF_FROZEN),
        "remote", Clusters.single(server, DIGEST_OF_REMOTE),
        "large object", Clusters.single(server, DIGEST_OF_LARGE_OBJECT));
  }

  /** The oid of the one tablespace that there is. */
  private static String tablespace() throws SQLException {
    return Clusters.single(server, "SELECT oid FROM pg_tablespace WHERE spcname = 'far'");
  }
}
