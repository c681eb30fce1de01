package org.stellaops.backup.storage.s3;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.BackupSinkContract;

/** A bucket of S3Proxy. */
class S3SinkTest extends BackupSinkContract {
  private static ProxiedServer server;

  @BeforeAll
  static void start() throws Exception {
    server = ProxiedServer.start();
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @Override
  protected BackupSink newSink() {
    return server.newSink().prefix("p");
  }
}
