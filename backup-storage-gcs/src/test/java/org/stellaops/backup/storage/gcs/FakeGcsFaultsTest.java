package org.stellaops.backup.storage.gcs;

import java.io.IOException;
import java.net.URI;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.WireFaultContract;

/**
 * Every request to fake-gcs-server fails in every way. A resumable upload goes on at an address
 * that the server tells, so each test has a server that tells the proxy's.
 */
@Tag("interop")
@SuppressWarnings("NullAway.Init") // JUnit calls choosePort first
class FakeGcsFaultsTest extends WireFaultContract {
  private static int port;
  private FakeGcs server;

  @BeforeAll
  static void choosePort() throws IOException {
    port = FakeGcs.freePort();
  }

  @Override
  protected void startBehind(URI proxyUri) throws IOException {
    server = FakeGcs.start(port, proxyUri);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Override
  protected URI server() {
    return URI.create("http://127.0.0.1:" + port);
  }

  /** Around the proxy everything is put by one request, which is told no other address. */
  @Override
  protected Function<URI, BackupSink> newPlace() {
    String bucket = server.newBucket();
    return address ->
        address.equals(server())
            ? server.sink(bucket)
            : server
                .sink(bucket)
                .endpoint(address)
                .partBytes(256 << 10)
                .retry(ScriptedService.ONCE);
  }

  @Override
  protected int largeBytes() {
    return 600_000;
  }
}
