package org.stellaops.backup.architecture.broken.mongo;

import software.amazon.awssdk.services.s3.S3Client;

/** A technology that puts its objects itself. */
final class KnowsS3 {
  private KnowsS3() {}

  static String nameOf(S3Client client) {
    return client.serviceName();
  }
}
