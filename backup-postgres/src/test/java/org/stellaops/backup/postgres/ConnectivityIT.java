package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CheckResult.Verdict;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.testkit.CaptureHarness;

/** What a health endpoint is told of a server that is fast, slow, or gone. */
class ConnectivityIT {
  /** A port that no test listens on. */
  private static final int NOBODY = 1;

  @TempDir static Path directory;

  private static PostgresServer server;

  @BeforeAll
  static void start() throws Exception {
    server = PostgresServer.start(17, directory.resolve("data"));
    Clusters.execute(server, "CREATE ROLE doctor LOGIN REPLICATION PASSWORD 'c4nary'");
  }

  @AfterAll
  static void stop() throws IOException {
    server.close();
  }

  private static PostgresConnection at(int port, String password) {
    return PostgresConnection.to("127.0.0.1")
        .port(port)
        .user("doctor")
        .database("postgres")
        .password(() -> Secret.of(password))
        .build();
  }

  @Test
  void a_server_that_answers_at_once_passes() {
    CheckResult result = PostgresConnectivity.check(at(server.port(), "c4nary"));
    assertEquals(Verdict.PASS, result.verdict(), result.toString());
    assertEquals("check.postgres.connectivity", result.id());
  }

  @ParameterizedTest
  @CsvSource({"150, WARN, WARN", "550, FAIL, WARN"})
  void a_slow_one_fails_the_check_and_no_backup(int millis, Verdict health, Verdict preflight)
      throws Exception {
    try (Delay delay = new Delay(server.port(), millis)) {
      PostgresConnection slow = at(delay.port(), "c4nary");
      CheckResult result = PostgresConnectivity.check(slow);
      assertEquals(health, result.verdict(), result.toString());
      assertTrue(result.evidence().contains(" ms"), result.evidence());
      Map<String, CheckResult> checks =
          CaptureHarness.checks(PostgresSource.physical(slow)).stream()
              .collect(Collectors.toMap(CheckResult::id, c -> c));
      assertEquals(preflight, checks.get("check.postgres.connectivity").verdict());
    }
  }

  @Test
  void a_server_that_is_gone_or_refuses_fails_and_the_password_is_not_told() throws Exception {
    for (PostgresConnection wrong :
        new PostgresConnection[] {at(NOBODY, "c4nary"), at(server.port(), "c4nary-wrong")}) {
      CheckResult result = PostgresConnectivity.check(wrong);
      assertEquals(Verdict.FAIL, result.verdict());
      assertFalse(result.toString().contains("c4nary"), result.toString());
      assertFalse(result.remedy().isEmpty());
    }
  }

  /** Hands on each answer of a server later. */
  private static final class Delay implements AutoCloseable {
    private final ServerSocket socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    private final ExecutorService executor = Executors.newCachedThreadPool();

    Delay(int to, int millis) throws IOException {
      executor.submit(
          () -> {
            while (!socket.isClosed()) {
              Socket client = socket.accept();
              executor.submit(() -> serve(client, to, millis));
            }
            return null;
          });
    }

    private Void serve(Socket accepted, int to, int millis) throws Exception {
      try (Socket client = accepted;
          Socket upstream = new Socket(InetAddress.getLoopbackAddress(), to)) {
        client.setTcpNoDelay(true);
        executor.submit(() -> client.getInputStream().transferTo(upstream.getOutputStream()));
        byte[] answer = new byte[1 << 16];
        InputStream in = upstream.getInputStream();
        for (int n = in.read(answer); n >= 0; n = in.read(answer)) {
          Thread.sleep(millis);
          client.getOutputStream().write(answer, 0, n);
        }
      }
      return null;
    }

    int port() {
      return socket.getLocalPort();
    }

    @Override
    public void close() throws IOException {
      socket.close();
      executor.shutdownNow();
    }
  }
}
