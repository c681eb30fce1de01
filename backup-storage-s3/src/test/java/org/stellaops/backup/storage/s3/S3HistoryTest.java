package org.stellaops.backup.storage.s3;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import software.amazon.awssdk.services.s3.S3Client;

/** Versions in buckets of S3Proxy, which shows some of them twice. */
class S3HistoryTest extends HistoryOfBuckets {
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
  S3Client client() {
    return server.client();
  }

  @Override
  String makeBucket() {
    return server.newBucket();
  }

  @Override
  S3Sink sink(String bucket) {
    return server.sink(bucket).at(S3Pace.STANDARD);
  }
}
