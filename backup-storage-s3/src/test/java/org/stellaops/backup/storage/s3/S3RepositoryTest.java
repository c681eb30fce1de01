package org.stellaops.backup.storage.s3;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.WriterKeyring;
import org.stellaops.backup.testkit.RepositoryFaultContract;
import software.amazon.awssdk.services.s3.model.MultipartUpload;

/** A repository's life in a bucket, on a good wire and on one that breaks at any request. */
@SuppressWarnings("NullAway.Init") // JUnit calls start, the contract newSink
class S3RepositoryTest extends RepositoryFaultContract {
  private static ProxiedServer server;
  private static AgeIdentity identity;
  private String bucket;

  @BeforeAll
  static void start() throws Exception {
    server = ProxiedServer.start();
    identity = AgeIdentity.generate();
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
    identity.close();
  }

  @Override
  protected URI server() {
    return server.uri();
  }

  @Override
  protected BackupSink newSink(URI address) {
    bucket = server.newBucket();
    return server.sink(bucket).endpoint(address).prefix("p");
  }

  /** Over what goes in one request here. */
  @Override
  protected int fileBytes() {
    return 1_200_000;
  }

  @Override
  protected List<String> unfinishedUploads() {
    return server.client().listMultipartUploads(r -> r.bucket(bucket)).uploads().stream()
        .map(MultipartUpload::key)
        .toList();
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
