package org.stellaops.backup.storage.gcs;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.WriterKeyring;
import org.stellaops.backup.store.RetryPolicy;
import org.stellaops.backup.testkit.RepositoryFaultContract;

/**
 * A repository's life in a bucket, on a good wire and on one that fails at any request. A resumable
 * upload goes on at an address that the server tells, so each test has a server that tells the
 * proxy's.
 */
@Tag("interop")
@SuppressWarnings("NullAway.Init") // JUnit calls start first
class FakeGcsRepositoryTest extends RepositoryFaultContract {
  private static int port;
  private static AgeIdentity identity;
  private FakeGcs server;

  @BeforeAll
  static void start() throws IOException {
    port = FakeGcs.freePort();
    identity = AgeIdentity.generate();
  }

  @AfterAll
  static void stop() {
    identity.close();
  }

  @Override
  protected void startBehind(URI proxyUri) throws IOException {
    server = FakeGcs.start(port, proxyUri);
  }

  @AfterEach
  void stopServer() {
    server.close();
  }

  @Override
  protected URI server() {
    return URI.create("http://127.0.0.1:" + port);
  }

  @Override
  protected BackupSink newSink(URI address) {
    return server
        .newSink()
        .endpoint(address)
        .prefix("p")
        .partBytes(256 << 10)
        .retry(new RetryPolicy(4, Duration.ZERO, Duration.ZERO));
  }

  @Override
  protected int fileBytes() {
    return 600_000;
  }

  @Override
  protected Identity identity() {
    return identity;
  }

  @Override
  protected Recipient recipient() {
    return identity.recipient();
  }

  @Override
  protected WriterKeyring keys(Path file, String writer) {
    return WriterKeyFile.at(file).named(writer);
  }
}
