package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.testkit.ArtifactDamage;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** PostgreSQL's own pg_dump and pg_restore, on both sides of a repository. */
@Tag("interop")
class LogicalBackupIT {
  private static final PostgresPrograms PROGRAMS =
      PostgresPrograms.in(Path.of("/usr/lib/postgresql/15/bin"));

  private static final String DIGEST =
      "SELECT md5(string_agg(t::text, ',' ORDER BY id)) || md5(lo_get(4711)) FROM release t";

  @TempDir static Path directory;

  private static PostgresServer server;
  private static PostgresServer other;
  private static Captured captured;
  private static String digest;

  @BeforeAll
  static void capture() throws Exception {
    server = PostgresServer.start(15, directory.resolve("data"));
    other = PostgresServer.start(16, directory.resolve("other"));
    Clusters.execute(
        server, "CREATE ROLE \"app owner\"", "CREATE DATABASE app OWNER \"app owner\"");
    execute(
        server,
        "app",
        "CREATE TABLE release AS SELECT g AS id, md5(g::text) AS name FROM generate_series(1, 20000) g",
        "ALTER TABLE release ADD PRIMARY KEY (id)",
        "CREATE TABLE step (id int PRIMARY KEY, release int REFERENCES release)",
        "INSERT INTO step SELECT g, g FROM generate_series(1, 100) g",
        "ALTER TABLE release OWNER TO \"app owner\"",
        "SELECT lo_from_bytea(4711, decode(repeat('5374656c6c61', 10000), 'hex'))");
    digest = single(server, "app", DIGEST);
    captured =
        CaptureHarness.of(PostgresSource.logical(server.connection(), PROGRAMS))
            .spoolTo(directory.resolve("captured"))
            .capture();
    Clusters.execute(other, "CREATE ROLE \"app owner\"");
  }

  @AfterAll
  static void stop() throws IOException {
    server.close();
    other.close();
  }

  @AfterEach
  void nothing_of_ours_is_left() throws Exception {
    assertEquals(
        "0",
        Clusters.single(other, "SELECT count(*) FROM pg_database WHERE datname LIKE 'stella-%'"));
    Clusters.execute(other, "DROP DATABASE IF EXISTS app");
  }

  @Test
  void the_databases_come_back_on_a_newer_server() throws Exception {
    RestoreHarness.of(target(), captured).restore();

    assertEquals(digest, single(other, "app", DIGEST));
    assertEquals(
        "app owner",
        single(other, "app", "SELECT tableowner FROM pg_tables WHERE tablename = 'release'"));
    assertEquals(
        "app owner",
        Clusters.single(
            other, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'app'"));
    assertEquals("1", single(other, "app", "SELECT count(*) FROM pg_constraint WHERE contype='f'"));
  }

  @Test
  void a_restore_that_is_rolled_back_after_publishing_leaves_what_was_there() throws Exception {
    Clusters.execute(other, "CREATE DATABASE app");
    String oid = Clusters.single(other, "SELECT oid FROM pg_database WHERE datname = 'app'");
    RestoreHarness harness = RestoreHarness.of(target(), captured);

    harness.stage();
    harness.publish();
    harness.publish();
    assertEquals(digest, single(other, "app", DIGEST));
    harness.rollBack();

    assertEquals(oid, Clusters.single(other, "SELECT oid FROM pg_database WHERE datname = 'app'"));
  }

  @Test
  void a_damaged_archive_never_becomes_a_database() throws Exception {
    long middle = Files.size(captured.file("app.dump").orElseThrow()) / 2;
    RestoreHarness harness =
        RestoreHarness.of(target(), captured).damage("app.dump", ArtifactDamage.flip(middle));

    assertThrows(BackupException.class, harness::restore);

    assertEquals(
        "0", Clusters.single(other, "SELECT count(*) FROM pg_database WHERE datname = 'app'"));
  }

  @Test
  void a_database_that_is_in_use_and_a_role_that_is_missing_stand_in_the_way() throws Exception {
    RestoreHarness harness =
        RestoreHarness.of(PostgresTarget.databases(server.connection(), PROGRAMS), captured);
    List<Finding> inUse = harness.plan().blockers();
    Clusters.execute(other, "DROP ROLE \"app owner\"");
    List<Finding> missing = RestoreHarness.of(target(), captured).plan().blockers();
    Clusters.execute(other, "CREATE ROLE \"app owner\"");

    assertEquals(List.of(PostgresFailure.DATABASE_EXISTS), codes(inUse), inUse::toString);
    assertEquals("app", inUse.get(0).subject());
    assertEquals(List.of(PostgresFailure.ROLE_MISSING), codes(missing), missing::toString);
  }

  @Test
  void a_role_that_a_policy_binds_cannot_capture_what_it_cannot_see() throws Exception {
    Clusters.execute(
        server,
        "CREATE ROLE reader LOGIN PASSWORD 'reader' IN ROLE pg_read_all_data",
        "CREATE DATABASE policies");
    execute(
        server,
        "policies",
        "CREATE TABLE hidden AS SELECT 1 AS id",
        "ALTER TABLE hidden ENABLE ROW LEVEL SECURITY");
    PostgresConnection reader =
        PostgresConnection.to("127.0.0.1")
            .port(server.port())
            .user("reader")
            .password(() -> Secret.of("reader"))
            .build();

    var e =
        assertThrows(
            BackupException.Source.class,
            () ->
                CaptureHarness.of(
                        PostgresSource.logical(reader, PROGRAMS)
                            .withoutRolePasswords()
                            .databases("policies"))
                    .capture());

    assertEquals(PostgresFailure.ROW_SECURITY, e.code(), e.getMessage());
    assertTrue(e.getMessage().contains("\"hidden\""), e.getMessage());
  }

  @Test
  void globals_hold_the_roles() throws Exception {
    String globals = Files.readString(captured.file("globals.sql").orElseThrow());

    assertTrue(globals.contains("CREATE ROLE \"app owner\""), globals);
  }

  private static LogicalTarget target() {
    return PostgresTarget.databases(other.connection(), PROGRAMS);
  }

  private static List<?> codes(List<Finding> findings) {
    return findings.stream().map(Finding::code).toList();
  }

  private static void execute(PostgresServer server, String database, String... commands)
      throws Exception {
    try (Connection sql = open(server, database);
        Statement statement = sql.createStatement()) {
      for (String command : commands) {
        statement.execute(command);
      }
    }
  }

  private static String single(PostgresServer server, String database, String query)
      throws Exception {
    try (Connection sql = open(server, database);
        Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      rows.next();
      return rows.getString(1);
    }
  }

  private static Connection open(PostgresServer server, String database) throws Exception {
    String url = server.jdbcUrl().replace("/postgres?", "/" + database + "?");
    return DriverManager.getConnection(url, PostgresServer.USER, "embedded");
  }
}
