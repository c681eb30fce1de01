package org.stellaops.backup.storage.s3;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.BackupSinkContract;

/** A bucket of MinIO. */
@Tag("interop")
class MinioSinkIT extends BackupSinkContract {
  @TempDir static Path temp;
  private static MinioServer server;

  @BeforeAll
  static void start() throws Exception {
    server = MinioServer.start(temp);
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
