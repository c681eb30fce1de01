package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CheckResult.Verdict;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;

/** What goes wrong is named, and nothing of it is left on the server. */
class FailingCaptureIT {
  private static final int MAJOR = 17;

  /** A port that no test listens on. */
  private static final int NOBODY = 1;

  private static final int PAGE_BYTES = 8192;

  @TempDir static Path directory;

  private static PostgresServer server;

  @TempDir Path spool;

  @BeforeAll
  static void start() throws Exception {
    server = PostgresServer.start(MAJOR, directory.resolve("data"));
    Clusters.execute(
        server,
        "CREATE ROLE plain LOGIN PASSWORD 'plain'",
        "CREATE TABLE filler AS SELECT g AS id, repeat(md5(g::text), 20) AS text"
            + " FROM generate_series(1, 50000) g");
  }

  @AfterAll
  static void stop() throws IOException {
    server.close();
  }

  @AfterEach
  void no_wal_sender_is_left() throws SQLException {
    if (server.isRunning()) {
      Clusters.requireNoWalSender(server);
    }
  }

  @Test
  void a_wrong_password_is_a_refused_login_and_is_not_repeated_in_the_message() {
    PostgresSource source = as("postgres", "s3cret-but-wrong");

    var e = assertThrows(BackupException.Source.class, () -> capture(source));

    assertEquals(PostgresFailure.LOGIN_REFUSED, e.code());
    assertTrue(e.getMessage().contains("28P01"), e.getMessage());
    for (Throwable t = e; t != null; t = t.getCause()) {
      assertFalse(t.toString().contains("s3cret"), t.toString());
    }
  }

  @Test
  void a_role_without_the_right_to_replicate_is_told_which_statement_gives_it() throws Exception {
    PostgresSource source = as("plain", "plain");

    var e = assertThrows(BackupException.Source.class, () -> capture(source));
    Map<String, CheckResult> checks = checks(source);

    assertEquals(PostgresFailure.NO_REPLICATION_RIGHT, e.code());
    CheckResult right = checks.get("check.postgres.replication-right");
    assertEquals(Verdict.FAIL, right.verdict());
    assertEquals("ALTER ROLE \"plain\" REPLICATION;", right.remedy());
    assertEquals(Verdict.FAIL, checks.get("check.postgres.replication-session").verdict());
  }

  @Test
  void a_server_that_is_not_there_is_unreachable() throws Exception {
    PostgresSource source =
        PostgresSource.physical(
            PostgresConnection.to("127.0.0.1").port(NOBODY).user("postgres").build());

    var e = assertThrows(BackupException.Source.class, () -> capture(source));

    assertEquals(PostgresFailure.UNREACHABLE, e.code());
    assertEquals(Verdict.FAIL, checks(source).get("check.postgres.connectivity").verdict());
  }

  @Test
  void a_server_without_wal_for_replication_is_told_what_to_set() throws Exception {
    try (PostgresServer minimal =
        PostgresServer.start(
            PostgresBinaries.of(MAJOR),
            spool.resolve("minimal"),
            Map.of("wal_level", "minimal", "max_wal_senders", "0"))) {
      PostgresSource source = PostgresSource.physical(minimal.connection());

      var e = assertThrows(BackupException.Source.class, () -> capture(source));
      Map<String, CheckResult> checks = checks(source);

      assertEquals(PostgresFailure.NO_WALSENDER, e.code());
      assertEquals(Verdict.FAIL, checks.get("check.postgres.wal-level").verdict());
      assertTrue(
          checks
              .get("check.postgres.wal-level")
              .remedy()
              .startsWith("ALTER SYSTEM SET wal_level = 'replica'"));
      assertEquals(Verdict.FAIL, checks.get("check.postgres.max-wal-senders").verdict());
      assertTrue(
          checks
              .get("check.postgres.max-wal-senders")
              .remedy()
              .startsWith("ALTER SYSTEM SET max_wal_senders = 10"));
    }
  }

  @Test
  void a_server_without_zstd_is_told_before_and_refuses_to_compress() throws Exception {
    PostgresSource plain = PostgresSource.physical(server.connection());
    PostgresSource source = plain.serverCompression(ServerCompression.ZSTD);
    String id = "check.postgres.server-compression";

    var e = assertThrows(BackupException.Source.class, () -> capture(source));

    assertEquals(PostgresFailure.COMPRESSION_REFUSED, e.code());
    assertTrue(e.getMessage().contains("does not support compression"), e.getMessage());
    assertEquals(Verdict.FAIL, checks(source).get(id).verdict());
    assertFalse(checks(plain).containsKey(id));
  }

  @Test
  void a_wal_sender_that_is_ended_while_it_streams_fails_the_capture() {
    var source =
        new SourceWithHook(
            PostgresSource.physical(server.connection()),
            () ->
                Clusters.single(
                    server, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_replication"));

    var e =
        assertThrows(
            BackupException.Source.class, () -> CaptureHarness.of(source).spoolTo(spool).capture());

    assertEquals(PostgresFailure.CONNECTION_LOST, e.code());
  }

  @Test
  void a_server_that_is_stopped_while_it_streams_fails_the_capture() throws Exception {
    var source = new SourceWithHook(PostgresSource.physical(server.connection()), server::stop);
    try {
      var e =
          assertThrows(
              BackupException.Source.class,
              () -> CaptureHarness.of(source).spoolTo(spool).capture());

      assertEquals(PostgresFailure.CONNECTION_LOST, e.code());
    } finally {
      server.start();
    }
  }

  @Test
  void a_run_that_is_stopped_ends_the_wal_sender() {
    for (long bytes : new long[] {0, 1, 3_000_000}) {
      assertThrows(
          BackupException.Stopped.class,
          () ->
              CaptureHarness.of(PostgresSource.physical(server.connection()))
                  .spoolTo(spool)
                  .stopAfter(bytes)
                  .capture(),
          () -> "stopped after " + bytes + " bytes");
    }
  }

  @Test
  void storage_that_fails_ends_the_wal_sender_and_keeps_its_own_failure() {
    assertThrows(
        BackupException.Sink.class,
        () ->
            CaptureHarness.of(PostgresSource.physical(server.connection()))
                .spoolTo(spool)
                .failStorageAt(5_000_000)
                .capture());
  }

  @Test
  void a_page_with_a_wrong_checksum_fails_or_degrades_the_capture_and_its_relation_is_named()
      throws Exception {
    try (PostgresServer damaged = PostgresServer.start(MAJOR, spool.resolve("damaged"))) {
      Clusters.execute(
          damaged, "CREATE TABLE victim AS SELECT generate_series(1, 10000) AS id", "CHECKPOINT");
      String file = Clusters.single(damaged, "SELECT pg_relation_filepath('victim')");
      damaged.stop();
      flipInSecondPage(damaged.data().resolve(file));
      damaged.start();

      var e =
          assertThrows(
              BackupException.Source.class,
              () -> capture(PostgresSource.physical(damaged.connection())));

      assertEquals(PostgresFailure.PAGE_CHECKSUM, e.code());
      assertTrue(e.getMessage().contains("postgres.public.victim (" + file), e.getMessage());
      Captured kept =
          CaptureHarness.of(
                  PostgresSource.physical(damaged.connection())
                      .damagedPages(DamagedPages.KEEP_DEGRADED))
              .spoolTo(spool.resolve("kept"))
              .capture();
      assertEquals(Outcome.DEGRADED, kept.source().header().outcome());
      assertEquals(
          List.of(PostgresFailure.PAGE_CHECKSUM),
          kept.findings().stream().map(Finding::code).toList());
      assertTrue(
          kept.findings().get(0).subject().startsWith("postgres.public.victim"),
          kept.findings()::toString);
      Clusters.requireNoWalSender(damaged);
    }
  }

  /** Java cannot make such a file where its own names are UTF-8, so a shell does. */
  @Test
  void a_file_whose_name_is_not_utf_8_fails_the_capture_and_is_shown() throws Exception {
    inData("touch \"$(printf 'caf\\351')\"");
    try {
      var e =
          assertThrows(
              BackupException.Source.class,
              () -> capture(PostgresSource.physical(server.connection())));

      assertEquals(PostgresFailure.NAME_NOT_UTF8, e.code());
      assertTrue(e.getMessage().contains("'caf\\xe9'"), e.getMessage());
    } finally {
      inData("rm \"$(printf 'caf\\351')\"");
    }
  }

  private static void inData(String command) throws IOException, InterruptedException {
    Process shell =
        new ProcessBuilder("sh", "-c", command).directory(server.data().toFile()).start();
    assertEquals(0, shell.waitFor(), command);
  }

  private static PostgresSource as(String user, String password) {
    return PostgresSource.physical(
        PostgresConnection.to("127.0.0.1")
            .port(server.port())
            .user(user)
            .password(() -> Secret.of(password))
            .build());
  }

  private void capture(PostgresSource source) throws IOException {
    CaptureHarness.of(source).spoolTo(spool.resolve("captured")).capture();
  }

  private static Map<String, CheckResult> checks(PostgresSource source) throws IOException {
    List<CheckResult> results = CaptureHarness.checks(source);
    return results.stream().collect(Collectors.toMap(CheckResult::id, r -> r));
  }

  private static void flipInSecondPage(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      channel.read(one, PAGE_BYTES + 4000);
      one.put(0, (byte) (one.get(0) ^ 1)).rewind();
      channel.write(one, PAGE_BYTES + 4000);
    }
  }
}
