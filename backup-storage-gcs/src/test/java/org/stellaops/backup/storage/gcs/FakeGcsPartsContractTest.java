package org.stellaops.backup.storage.gcs;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.BackupSinkContract;

/**
 * The contract against fake-gcs-server: the smallest parts, so that large objects are resumable
 * uploads.
 */
@Tag("interop")
@SuppressWarnings("NullAway.Init") // JUnit calls start first
class FakeGcsPartsContractTest extends BackupSinkContract {
  private static FakeGcs server;

  @BeforeAll
  static void start() throws IOException {
    server = FakeGcs.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Override
  protected BackupSink newSink() {
    return server.newSink().partBytes(256 << 10);
  }
}
