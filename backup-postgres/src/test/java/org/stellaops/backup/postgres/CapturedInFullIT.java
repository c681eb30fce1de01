package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.StopSwitch;

/** Where no increment can be had, the capture is a full one, good, and says why. */
@Tag("interop")
@Timeout(300)
class CapturedInFullIT {
  private static final String CHECK = "check.postgres.incremental";

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(ints = {15, 16})
  void an_older_server_saves_space_only(int major) throws Exception {
    try (PostgresServer server = PostgresServer.start(major, directory.resolve("data"))) {
      assertInFull(server, capture(server, null), "space, not reading, is saved");

      CheckResult check = check(server);
      assertEquals(CheckResult.Verdict.PASS, check.verdict());
      assertTrue(check.evidence().contains("space, not reading, is saved"), check::toString);
    }
  }

  @Test
  void a_server_that_does_not_summarize_is_told_the_statement_that_lets_it() throws Exception {
    try (PostgresServer server = PostgresServer.start(17, directory.resolve("data"))) {
      assertInFull(server, capture(server, null), "summarize_wal is off");
      CheckResult check = check(server);
      assertEquals(CheckResult.Verdict.WARN, check.verdict());

      for (String statement : check.remedy().split(";", -1)) {
        Clusters.execute(server, statement);
      }

      CheckResult after = check(server);
      assertEquals(CheckResult.Verdict.PASS, after.verdict(), after::toString);
    }
  }

  @Test
  void what_cannot_be_built_on_is_not() throws Exception {
    try (PostgresServer server = summarizing("data")) {
      Captured none =
          CaptureHarness.of(PostgresSource.physical(server.connection()))
              .requesting(CaptureKind.INCREMENTAL)
              .capture();
      assertTrue(none.findings().get(0).found().contains("no earlier capture"), none::toString);
      Captured other;
      try (PostgresServer another = summarizing("another")) {
        other = full(another);
      }
      assertInFull(server, capture(server, other), "another cluster");
    }
  }

  @Test
  void summaries_that_are_gone_are_no_failure() throws Exception {
    try (PostgresServer server = summarizing("data")) {
      Captured full = full(server);
      Clusters.execute(server, "CREATE TABLE t AS SELECT generate_series(1, 1000)", "CHECKPOINT");
      Captured increment = capture(server, full);
      assertEquals(List.of(), increment.findings());
      try (Stream<Path> summaries = Files.list(server.data().resolve("pg_wal/summaries"))) {
        for (Path summary : summaries.toList()) {
          Files.deleteIfExists(summary); // the next one may just have been given its name
        }
      }

      assertInFull(
          server,
          capture(server, full),
          "the server refused to build on the earlier capture: ERROR 55000");
    }
  }

  @Test
  void a_run_can_be_stopped_while_the_server_waits_for_its_summaries() throws Exception {
    try (PostgresServer server = summarizing("data")) {
      Captured full = full(server);
      String summarizer =
          Clusters.single(
              server, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walsummarizer'");
      ExecutorService executor = Executors.newSingleThreadExecutor();
      signal("STOP", summarizer);
      try {
        StopSwitch stopping = new StopSwitch();
        Future<Captured> capture =
            executor.submit(
                () ->
                    CaptureHarness.of(PostgresSource.physical(server.connection()))
                        .parent(full)
                        .stopping(stopping)
                        .capture());
        waitForWalSender(server, "WalSummaryReady");

        stopping.stop();

        var e = assertThrows(ExecutionException.class, () -> capture.get(10, TimeUnit.SECONDS));
        assertEquals(BackupException.Stopped.class, e.getCause().getClass(), e::toString);
      } finally {
        signal("CONT", summarizer);
        executor.shutdownNow();
      }
      Clusters.requireNoWalSender(server);
    }
  }

  private PostgresServer summarizing(String name) throws IOException {
    return PostgresServer.start(
        PostgresBinaries.of(17), directory.resolve(name), Map.of("summarize_wal", "on"));
  }

  private static Captured full(PostgresServer server) throws IOException {
    return CaptureHarness.of(PostgresSource.physical(server.connection())).capture();
  }

  /**
   * What an increment on {@code parent} becomes; on a full capture made now where there is none.
   */
  private static Captured capture(PostgresServer server, Captured parent) throws IOException {
    return CaptureHarness.of(PostgresSource.physical(server.connection()))
        .parent(parent == null ? full(server) : parent)
        .capture();
  }

  private static void assertInFull(PostgresServer server, Captured captured, String why)
      throws SQLException {
    assertTrue(captured.parent().isEmpty());
    assertEquals(1, captured.findings().size(), () -> captured.findings().toString());
    assertEquals(PostgresFailure.CAPTURED_IN_FULL, captured.findings().get(0).code());
    String found = captured.findings().get(0).found();
    assertTrue(found.contains(why), found);
    assertEquals(Outcome.GOOD, captured.source().header().outcome());
    Clusters.requireNoWalSender(server);
  }

  private static CheckResult check(PostgresServer server) throws IOException {
    return CaptureHarness.checks(PostgresSource.physical(server.connection())).stream()
        .filter(c -> c.id().equals(CHECK))
        .findFirst()
        .orElseThrow();
  }

  private static void waitForWalSender(PostgresServer server, String event) throws SQLException {
    String waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = '" + event + "'";
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement()) {
      for (int i = 0; i < 400 && Clusters.single(server, waiting).equals("0"); i++) {
        statement.execute("SELECT pg_sleep(0.05)");
      }
    }
    assertEquals("1", Clusters.single(server, waiting), "WAL senders that wait for " + event);
  }

  private static void signal(String name, String process) throws IOException, InterruptedException {
    int exit = new ProcessBuilder("kill", "-" + name, process).start().waitFor();
    assertEquals(0, exit, "kill -" + name + " " + process);
  }
}
