package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** The whole way, on every supported version: capture under load, restore, start, compare. */
class PhysicalBackupIT {
  private static final String DIGEST_OF_FROZEN =
      "SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM frozen t";
  private static final String DIGEST_OF_REMOTE =
      "SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM remote t";
  private static final String DIGEST_OF_LARGE_OBJECT = "SELECT md5(lo_get(4711))";

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(ints = {15, 16, 17, 18})
  void a_cluster_captured_under_load_starts_again_with_the_same_rows(int major) throws Exception {
    Path spaceWas = Files.createDirectory(directory.resolve("space"));
    Captured captured;
    Map<String, String> before;
    long committedBefore;
    long committedAfter;
    try (PostgresServer server = PostgresServer.start(major, directory.resolve("data"))) {
      fill(server, spaceWas);
      before = digests(server);
      try (Load load = new Load(server)) {
        committedBefore = load.waitForCommits(10);
        captured =
            CaptureHarness.of(PostgresSource.physical(server.connection()))
                .spoolTo(directory.resolve("captured"))
                .capture();
        committedAfter = load.stop();
      }
      Clusters.requireNoWalSender(server);
    }

    String oid = tablespaceOid(captured);
    Path restored = directory.resolve("restored");
    PostgresTarget target =
        PostgresTarget.directory(restored)
            .tablespace(Long.parseLong(oid), directory.resolve("space-restored"));
    RestoreHarness.of(target, captured).restore();

    try (PostgresServer server = PostgresServer.start(major, restored)) {
      assertEquals(before, digests(server));
      long rows = Long.parseLong(single(server, "SELECT count(*) FROM ticks"));
      assertEquals(rows, Long.parseLong(single(server, "SELECT max(id) FROM ticks")));
      assertTrue(
          rows >= committedBefore && rows <= committedAfter,
          rows + " rows, committed before " + committedBefore + ", after " + committedAfter);
      assertEquals(
          directory.resolve("space-restored").toString(),
          single(server, "SELECT pg_tablespace_location(" + oid + ")"));
    }
    assertEquals(List.of(), leftBeside(restored));
  }

  @ParameterizedTest
  @ValueSource(ints = {15, 16, 17, 18})
  void a_capture_says_what_it_is_and_preflight_agrees(int major) throws Exception {
    try (PostgresServer server = PostgresServer.start(major, directory.resolve("data"))) {
      PostgresSource source = PostgresSource.physical(server.connection());
      List<CheckResult> checks = CaptureHarness.checks(source);
      checks.forEach(c -> assertEquals(CheckResult.Verdict.PASS, c.verdict(), c::toString));
      assertEquals(6, checks.size(), checks::toString);

      Captured captured =
          CaptureHarness.of(source).spoolTo(directory.resolve("captured")).capture();

      assertEquals(
          List.of(ArtifactName.of("base.tar"), ArtifactName.of("backup_manifest")),
          captured.names());
      assertTrue(captured.form("backup_manifest").isRemembered());
      assertFalse(captured.boundaries("base.tar").isEmpty());
      List<Position> span = captured.source().span();
      assertEquals(
          single(server, "SELECT system_identifier FROM pg_control_system()"),
          span.get(0).lineage());
      assertEquals(1, span.get(0).branch());
      assertTrue(
          Lsn.parse(span.get(0).text()).compareTo(Lsn.parse(span.get(1).text())) < 0,
          span::toString);
      assertTrue(captured.source().versions().get("postgres").startsWith(major + "."));
      assertEquals("on", captured.source().properties().get("data-checksums"));
      assertEquals(List.of(), captured.findings());
      Clusters.requireNoWalSender(server);
    }
  }

  private static void fill(PostgresServer server, Path space) throws SQLException {
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement()) {
      statement.execute("CREATE TABLESPACE far LOCATION '" + space + "'");
      statement.execute(
          "CREATE TABLE frozen AS SELECT g AS id, repeat(md5(g::text), 4) AS filler"
              + " FROM generate_series(1, 30000) g");
      statement.execute("ALTER TABLE frozen ADD PRIMARY KEY (id)");
      statement.execute(
          "CREATE TABLE remote TABLESPACE far AS SELECT g AS id, md5(g::text) AS filler"
              + " FROM generate_series(1, 20000) g");
      statement.execute(
          "SELECT lo_from_bytea(4711, decode(repeat('5374656c6c61', 100000), 'hex'))");
      statement.execute("CREATE TABLE ticks (id bigint PRIMARY KEY, filler text)");
    }
  }

  private static Map<String, String> digests(PostgresServer server) throws SQLException {
    return Map.of(
        "frozen", single(server, DIGEST_OF_FROZEN),
        "remote", single(server, DIGEST_OF_REMOTE),
        "large object", single(server, DIGEST_OF_LARGE_OBJECT));
  }

  private static String tablespaceOid(Captured captured) {
    return captured.names().stream()
        .map(ArtifactName::value)
        .filter(name -> name.matches("[0-9]+\\.tar"))
        .map(name -> name.replace(".tar", ""))
        .findFirst()
        .orElseThrow();
  }

  private List<Path> leftBeside(Path restored) throws Exception {
    try (var entries = Files.list(restored.getParent())) {
      return entries.filter(p -> p.toString().contains(".staging-")).toList();
    }
  }

  private static String single(PostgresServer server, String query) throws SQLException {
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      rows.next();
      return rows.getString(1);
    }
  }

  /** One client that commits row after row, numbered without gaps. */
  private static final class Load implements AutoCloseable {
    private final ExecutorService executor = Executors.newSingleThreadExecutor();
    private final AtomicBoolean isStopped = new AtomicBoolean();
    private final Object committed = new Object();
    private final Future<Long> rows;
    private long count;

    private Load(PostgresServer server) {
      rows = executor.submit(() -> run(server));
    }

    private long run(PostgresServer server) throws SQLException {
      try (Connection sql = server.openSql();
          Statement statement = sql.createStatement()) {
        while (!isStopped.get()) {
          statement.execute("INSERT INTO ticks VALUES (%d, repeat('x', 500))".formatted(count + 1));
          synchronized (committed) {
            count++;
            committed.notifyAll();
          }
        }
      }
      return count;
    }

    private long waitForCommits(long least) throws InterruptedException {
      synchronized (committed) {
        while (count < least && !rows.isDone()) {
          committed.wait(1000);
        }
        return count;
      }
    }

    private long stop() throws Exception {
      isStopped.set(true);
      return rows.get();
    }

    @Override
    public void close() {
      isStopped.set(true);
      executor.shutdown();
    }
  }
}
