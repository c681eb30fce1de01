package org.stellaops.backup.storage.s3;

import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Buckets of MinIO by their URIs, also without us. */
@Tag("interop")
class MinioLocationIT extends BucketLocations {
  @TempDir static Path temp;
  private static MinioServer server;

  MinioLocationIT() {
    super(MinioServer.ACCESS_KEY, MinioServer.SECRET_KEY);
  }

  @BeforeAll
  static void start() throws Exception {
    server = MinioServer.start(temp);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Override
  protected URI newLocation() {
    return URI.create(
        "s3://%s/site-a?endpoint=%s".formatted(server.newBucket(false), server.uri()));
  }

  @Test
  void rclone_and_recover_sh_get_everything_back() throws Exception {
    requireRecoveredWithRclone(server.uri());
  }
}
