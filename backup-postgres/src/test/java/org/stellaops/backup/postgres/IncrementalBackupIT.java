package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** A full capture and three increments of a cluster that changes in all ways between them. */
@Tag("interop")
@ParameterizedClass
@ValueSource(ints = {17, 18})
class IncrementalBackupIT {
  private static final String TABLES =
      "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
          + " WHERE relkind = 'r' AND nspname = 'public' ORDER BY 1";
  private static final String RELATION_FILES =
      "SELECT pg_relation_filepath(oid) FROM pg_class WHERE relkind IN ('r', 'i', 't', 'm')"
          + " AND pg_relation_filepath(oid) IS NOT NULL";

  @TempDir static Path directory;

  private static Path cluster;
  private static PostgresServer server;
  private static String near;
  private static String far;
  private static final List<Captured> CAPTURES = new ArrayList<>();
  private static final List<Map<String, String>> CONTENTS = new ArrayList<>();
  private static final List<String> FILES = new ArrayList<>();

  @Parameter int major;

  @TempDir Path fresh;

  @BeforeParameterizedClassInvocation
  static void captureChain(int major) throws Exception {
    cluster = Files.createDirectory(directory.resolve("cluster-" + major));
    CAPTURES.clear();
    CONTENTS.clear();
    FILES.clear();
    server = start(major, cluster.resolve("data"));
    fill();
    capture();
    change();
    capture();
    truncateAndMove();
    capture();
    grow();
    // What the files hold is then what the backup sends, and nothing is left to be replayed.
    Clusters.execute(server, "CHECKPOINT");
    capture();
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement();
        ResultSet paths = statement.executeQuery(RELATION_FILES)) {
      while (paths.next()) {
        FILES.add(paths.getString(1));
      }
    }
    server.stop();
  }

  @AfterParameterizedClassInvocation
  static void stop() throws IOException {
    server.close();
  }

  @Test
  void every_capture_of_the_chain_restores_to_the_rows_of_its_time() throws Exception {
    for (int i = 0; i < CAPTURES.size(); i++) {
      Path data = fresh.resolve("data-" + i);
      RestoreHarness.of(target(data, i), CAPTURES.get(i)).restore();
      assertEquals(List.of(), problems(data, i), "manifest of capture " + i);

      try (PostgresServer restored = start(major, data)) {
        assertEquals(CONTENTS.get(i), contents(restored), "capture " + i);
        assertSound(restored);
      }
    }
  }

  @Test
  void combined_files_are_those_of_the_server() throws Exception {
    Path data = fresh.resolve("data");
    RestoreHarness.of(target(data, 3), CAPTURES.get(3)).restore();

    int same = 0;
    for (String path : FILES) {
      Path its = server.data().resolve(path);
      Path ours = data.resolve(path);
      assertEquals(Files.size(its), Files.size(ours), path);
      same += Files.mismatch(its, ours) == -1 ? 1 : 0;
    }
    // The shutdown writes hint bits into some catalogs after the backup has read them.
    assertTrue(same > FILES.size() * 9 / 10, same + " of " + FILES.size() + " files are the same");
    for (String path : tableFiles()) {
      assertEquals(-1, Files.mismatch(server.data().resolve(path), data.resolve(path)), path);
    }
  }

  @Test
  void increments_are_small_and_say_what_they_build_on() {
    long full = CAPTURES.get(0).source().header().plainBytes();
    for (int i = 1; i < CAPTURES.size(); i++) {
      Captured increment = CAPTURES.get(i);
      assertEquals(CAPTURES.get(i - 1), increment.parent().orElseThrow());
      assertEquals(List.of(), increment.findings());
      assertEquals(
          "since " + CAPTURES.get(i - 1).source().header().span().orElseThrow().start().text(),
          increment.source().properties().get("incremental"));
      long bytes = increment.source().header().plainBytes();
      assertTrue(bytes < full * 4 / 10, "increment %d: %d of %d".formatted(i, bytes, full));
    }
  }

  @Test
  void a_plan_asks_for_the_room_of_the_combined_cluster() throws Exception {
    Path data = fresh.resolve("data");
    long planned =
        RestoreHarness.of(target(data, 3), CAPTURES.get(3)).plan().space().values().stream()
            .mapToLong(Long::longValue)
            .sum();
    RestoreHarness.of(target(data, 3), CAPTURES.get(3)).restore();

    long taken;
    try (Stream<Path> files = Files.walk(fresh)) {
      taken = files.filter(Files::isRegularFile).mapToLong(f -> f.toFile().length()).sum();
    }
    assertTrue(Math.abs(planned - taken) < taken / 20, planned + " planned, " + taken + " taken");
  }

  @Test
  void a_damaged_capture_within_the_chain_is_an_error_and_nothing_is_published() throws Exception {
    Path base = CAPTURES.get(1).file("base.tar").orElseThrow();
    long middle = Files.size(base) / 2;
    flip(base, middle);
    try {
      RestoreHarness harness = RestoreHarness.of(target(fresh.resolve("data"), 3), CAPTURES.get(3));

      assertThrows(BackupException.Corrupt.class, harness::restore);

      try (Stream<Path> left = Files.list(fresh)) {
        assertEquals(List.of(), left.toList());
      }
    } finally {
      flip(base, middle);
    }
  }

  /** The manifest of a full capture is the server's, and knows nothing of mapped tablespaces. */
  private static List<String> problems(Path data, int capture) throws IOException {
    return VerifiedDirectory.problems(data).stream()
        .filter(problem -> capture > 0 || !problem.startsWith("tablespace_map:"))
        .toList();
  }

  private static void fill() throws Exception {
    Path space = Files.createDirectory(cluster.resolve("near"));
    Clusters.execute(
        server,
        "CREATE EXTENSION amcheck",
        "CREATE TABLESPACE near LOCATION '" + space + "'",
        "CREATE TABLE heap AS SELECT g AS id, repeat(md5(g::text), 10) AS filler"
            + " FROM generate_series(1, 150000) g",
        "CREATE INDEX heap_id ON heap (id)",
        "CREATE TABLE shrinking AS SELECT g AS id, repeat('s', 500) AS filler"
            + " FROM generate_series(1, 8000) g",
        "CREATE TABLE emptied AS SELECT g AS id FROM generate_series(1, 50000) g",
        "CREATE TABLE dropped AS SELECT g AS id FROM generate_series(1, 50000) g",
        "CREATE TABLE remote TABLESPACE near AS SELECT g AS id, md5(g::text) AS filler"
            + " FROM generate_series(1, 30000) g",
        "VACUUM (FREEZE)");
    near = Clusters.single(server, "SELECT oid FROM pg_tablespace WHERE spcname = 'near'");
  }

  private static void change() throws Exception {
    Path space = Files.createDirectory(cluster.resolve("far"));
    Clusters.execute(
        server,
        "CREATE TABLESPACE far LOCATION '" + space + "'",
        "UPDATE heap SET filler = 'changed' WHERE id % 5000 = 0",
        "INSERT INTO heap SELECT g, 'late' FROM generate_series(150001, 151000) g",
        "DELETE FROM shrinking WHERE id > 1000",
        "VACUUM shrinking",
        "CREATE DATABASE second",
        "CREATE TABLE added TABLESPACE far AS SELECT g AS id FROM generate_series(1, 20000) g",
        "UPDATE remote SET filler = 'changed' WHERE id < 100");
    far = Clusters.single(server, "SELECT oid FROM pg_tablespace WHERE spcname = 'far'");
    inSecond("CREATE TABLE inside AS SELECT g AS id FROM generate_series(1, 20000) g");
  }

  private static void truncateAndMove() throws SQLException {
    Clusters.execute(
        server,
        "TRUNCATE emptied",
        "DROP TABLE dropped",
        "CREATE INDEX heap_even ON heap (id) WHERE id % 2 = 0",
        "INSERT INTO shrinking SELECT g, repeat('t', 500) FROM generate_series(1001, 4000) g",
        "ALTER TABLE remote SET TABLESPACE pg_default",
        "DROP TABLESPACE near",
        "INSERT INTO added SELECT g FROM generate_series(20001, 20100) g");
    inSecond("DELETE FROM inside WHERE id > 100", "VACUUM inside");
  }

  private static void grow() throws SQLException {
    Clusters.execute(
        server,
        "INSERT INTO emptied SELECT g FROM generate_series(1, 3000) g",
        "DELETE FROM shrinking WHERE id > 2000",
        "VACUUM shrinking",
        "UPDATE heap SET filler = 'again' WHERE id % 7000 = 1",
        "DELETE FROM remote WHERE id > 29000");
    inSecond("INSERT INTO inside SELECT g FROM generate_series(101, 5000) g");
  }

  private static void capture() throws Exception {
    CaptureHarness harness = CaptureHarness.of(PostgresSource.physical(server.connection()));
    if (!CAPTURES.isEmpty()) {
      harness.parent(CAPTURES.get(CAPTURES.size() - 1));
    }
    CONTENTS.add(contents(server));
    CAPTURES.add(harness.spoolTo(cluster.resolve("captured-" + CAPTURES.size())).capture());
  }

  private PostgresTarget target(Path data, int capture) {
    PostgresTarget target = PostgresTarget.directory(data);
    return switch (capture) {
      case 0 ->
          target.tablespace(Long.parseLong(near), data.resolveSibling(data.getFileName() + "-n"));
      case 1 ->
          target
              .tablespace(Long.parseLong(near), data.resolveSibling(data.getFileName() + "-n"))
              .tablespace(Long.parseLong(far), data.resolveSibling(data.getFileName() + "-f"));
      default ->
          target.tablespace(Long.parseLong(far), data.resolveSibling(data.getFileName() + "-f"));
    };
  }

  /** Digests of all rows of all tables. */
  private static Map<String, String> contents(PostgresServer of) throws SQLException {
    Map<String, String> contents = new TreeMap<>();
    for (String database : databases(of)) {
      try (Connection sql = connect(of, database);
          Statement statement = sql.createStatement()) {
        for (String table : column(statement, TABLES)) {
          String digest =
              "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM " + table + " t";
          contents.put(database + "." + table, String.valueOf(column(statement, digest).get(0)));
        }
      }
    }
    return contents;
  }

  private static void assertSound(PostgresServer of) throws SQLException {
    try (Connection sql = of.openSql();
        Statement statement = sql.createStatement()) {
      List<String> indexes =
          column(
              statement,
              "SELECT bt_index_check(c.oid, true)::text FROM pg_index i JOIN pg_class c ON c.oid ="
                  + " indexrelid JOIN pg_am a ON a.oid = relam WHERE amname = 'btree'"
                  + " AND indisvalid AND relpersistence = 'p'");
      assertTrue(indexes.size() > 100, "indexes: " + indexes.size());
      assertEquals(
          List.of(),
          column(
              statement,
              "SELECT c.oid::regclass || ': ' || msg FROM pg_class c, verify_heapam(c.oid) WHERE"
                  + " relkind IN ('r', 't', 'm') AND relpersistence = 'p'"));
    }
  }

  private static List<String> tableFiles() throws SQLException, IOException {
    List<String> files = new ArrayList<>();
    server.start();
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement()) {
      files.addAll(
          column(
              statement,
              "SELECT pg_relation_filepath(c.oid) FROM pg_class c JOIN pg_namespace n"
                  + " ON n.oid = relnamespace WHERE nspname = 'public' AND relkind IN ('r', 'i')"));
    } finally {
      server.stop();
    }
    assertTrue(files.size() >= 6, files::toString);
    return files;
  }

  private static List<String> databases(PostgresServer of) throws SQLException {
    try (Connection sql = of.openSql();
        Statement statement = sql.createStatement()) {
      return column(statement, "SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1");
    }
  }

  private static List<String> column(Statement statement, String query) throws SQLException {
    List<String> values = new ArrayList<>();
    try (ResultSet rows = statement.executeQuery(query)) {
      while (rows.next()) {
        values.add(rows.getString(1));
      }
    }
    return values;
  }

  private static Connection connect(PostgresServer to, String database) throws SQLException {
    String url = to.jdbcUrl().replace("/postgres?", "/" + database + "?");
    return DriverManager.getConnection(url, PostgresServer.USER, to.password().use(String::new));
  }

  private static void inSecond(String... commands) throws SQLException {
    try (Connection sql = connect(server, "second");
        Statement statement = sql.createStatement()) {
      for (String command : commands) {
        statement.execute(command);
      }
    }
  }

  private static PostgresServer start(int major, Path data) throws IOException {
    return PostgresServer.start(
        PostgresBinaries.of(major), data, Map.of("summarize_wal", "on", "autovacuum", "off"));
  }

  private static void flip(Path file, long at) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(at);
      int was = bytes.read();
      bytes.seek(at);
      bytes.write(was ^ 1);
    }
  }
}
