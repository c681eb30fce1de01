package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresConnection.ChannelBinding;
import org.stellaops.backup.postgres.PostgresConnection.SslMode;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.postgres.internal.wal.SegmentSize;
import org.stellaops.backup.postgres.internal.wal.WalListener;
import org.stellaops.backup.postgres.internal.wal.WalOrigin;
import org.stellaops.backup.postgres.internal.wal.WalScanner;
import org.stellaops.backup.postgres.internal.wire.SystemIdentity;
import org.stellaops.backup.postgres.internal.wire.WalEvent;
import org.stellaops.backup.postgres.internal.wire.WalStream;
import org.stellaops.backup.postgres.internal.wire.Wire;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;

/** Captures over TLS, with a certificate for {@code localhost} that the test makes. */
class TlsIT {
  private static final char[] STORE_PASSWORD = "changeit".toCharArray();

  @TempDir static Path directory;

  private static PostgresServer server;

  @TempDir Path spool;

  @BeforeAll
  static void start() throws Exception {
    writeCertificate("server");
    writeCertificate("stranger");
    server =
        PostgresServer.start(
            PostgresBinaries.of(17),
            directory.resolve("data"),
            Map.of(
                "ssl", "on",
                "ssl_cert_file", directory.resolve("server.crt").toString(),
                "ssl_key_file", directory.resolve("server.key").toString()));
  }

  @AfterAll
  static void stop() throws IOException {
    server.close();
  }

  @Test
  void a_verified_server_is_captured_with_channel_binding() throws Exception {
    Captured captured = capture("localhost", "server");

    assertTrue(captured.names().toString().contains("base.tar"));
    Clusters.requireNoWalSender(server);
  }

  @Test
  void a_capture_over_tls_that_is_stopped_ends_the_wal_sender() throws Exception {
    assertThrows(
        BackupException.Stopped.class,
        () ->
            CaptureHarness.of(PostgresSource.physical(connection("localhost", "server")))
                .spoolTo(spool)
                .stopAfter(3_000_000)
                .capture());
    Clusters.requireNoWalSender(server);
  }

  @Test
  void wal_that_trickles_in_over_tls_is_whole_whatever_the_timeouts() throws Exception {
    Clusters.execute(
        server, "CREATE TABLE wal AS SELECT md5(g::text) FROM generate_series(1, 3000) g");
    try (Trickle slow = new Trickle(server.port());
        Wire wire =
            Wire.open(connection("localhost", "server", slow.port()), Stopping.never(), m -> {})) {
      SystemIdentity identity = wire.identifySystem();
      Lsn from = new Lsn((identity.flushed().position() - 200_000) & -8192L);
      WalScanner scanner =
          new WalScanner(
              new WalOrigin(17, identity.systemIdentifier(), SegmentSize.DEFAULT, 1),
              from,
              new Nobody());
      WalStream stream = WalStream.start(wire, Clock.systemUTC(), from, 1);
      int silences = 0;
      while (stream.position().compareTo(identity.flushed()) < 0) {
        WalEvent event = stream.next(Duration.ofMillis(1));
        silences += event.kind() == WalEvent.Kind.NOTHING ? 1 : 0;
        if (event instanceof WalEvent.Data data) {
          scanner.accept(data.bytes(), data.offset(), data.length());
        }
      }
      stream.stop();

      assertTrue(silences > 10, silences + " timeouts");
      assertTrue(scanner.endOfLastRecord().orElseThrow().compareTo(from) > 0);
      assertEquals(identity.systemIdentifier(), wire.identifySystem().systemIdentifier());
    }
    Clusters.requireNoWalSender(server);
  }

  @Test
  void a_certificate_of_another_authority_is_refused() {
    var e = assertThrows(BackupException.Source.class, () -> capture("localhost", "stranger"));

    assertEquals(PostgresFailure.UNREACHABLE, e.code());
  }

  @Test
  void a_certificate_for_another_host_is_refused() {
    var e = assertThrows(BackupException.Source.class, () -> capture("127.0.0.1", "server"));

    assertEquals(PostgresFailure.UNREACHABLE, e.code());
  }

  private Captured capture(String host, String trusted) throws IOException {
    return CaptureHarness.of(PostgresSource.physical(connection(host, trusted)))
        .spoolTo(spool)
        .capture();
  }

  private static PostgresConnection connection(String host, String trusted) {
    return connection(host, trusted, server.port());
  }

  private static PostgresConnection connection(String host, String trusted, int port) {
    return PostgresConnection.to(host)
        .port(port)
        .user(PostgresServer.USER)
        .password(server::password)
        .sslMode(SslMode.VERIFY_FULL)
        .sslRootCert(directory.resolve(trusted + ".crt"))
        .channelBinding(ChannelBinding.REQUIRE)
        .build();
  }

  /** Key and self-signed certificate by the JDK's keytool, as PostgreSQL reads them: PEM. */
  private static void writeCertificate(String name) throws Exception {
    Path store = directory.resolve(name + ".p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keystore",
                store.toString(),
                "-storetype",
                "PKCS12",
                "-storepass",
                new String(STORE_PASSWORD),
                "-alias",
                name,
                "-keyalg",
                "RSA",
                "-keysize",
                "2048",
                "-dname",
                "CN=localhost",
                "-ext",
                "SAN=dns:localhost")
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve(name + ".log").toFile())
            .start();
    assertTrue(keytool.waitFor(60, TimeUnit.SECONDS));
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, STORE_PASSWORD);
    }
    writePem(name + ".crt", "CERTIFICATE", keys.getCertificate(name).getEncoded());
    writePem(name + ".key", "PRIVATE KEY", keys.getKey(name, STORE_PASSWORD).getEncoded());
  }

  private static void writePem(String file, String kind, byte[] der) throws IOException {
    String lines =
        Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII)).encodeToString(der);
    Path path =
        Files.createFile(
            directory.resolve(file),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(
        path, "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n".formatted(kind, lines));
  }

  /** Hears nothing. */
  private static final class Nobody implements WalListener {
    @Override
    public void committed(Lsn end, long xid, Instant time) {}

    @Override
    public void aborted(Lsn end, long xid, Instant time) {}

    @Override
    public void restorePoint(Lsn end, String name, Instant time) {}
  }

  /** Passes on what one server sends in pieces far smaller than a record of TLS, and slowly. */
  private static final class Trickle implements AutoCloseable {
    private static final int PIECE_BYTES = 1000;
    private static final int PAUSE_MILLIS = 4;

    private final ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    private final ExecutorService executor = Executors.newFixedThreadPool(2);

    Trickle(int to) throws IOException {
      executor.submit(
          () -> {
            try (Socket client = socket.accept();
                Socket upstream = new Socket(InetAddress.getLoopbackAddress(), to)) {
              client.setTcpNoDelay(true);
              executor.submit(() -> client.getInputStream().transferTo(upstream.getOutputStream()));
              byte[] piece = new byte[PIECE_BYTES];
              InputStream in = upstream.getInputStream();
              for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
                client.getOutputStream().write(piece, 0, n);
                Thread.sleep(PAUSE_MILLIS);
              }
            }
            return null;
          });
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
