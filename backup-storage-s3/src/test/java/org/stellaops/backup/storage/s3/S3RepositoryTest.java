package org.stellaops.backup.storage.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.WriterKeyring;
import org.stellaops.backup.testkit.BackupHost;
import org.stellaops.backup.testkit.ProxyFault;
import org.stellaops.backup.testkit.ProxyPlan;
import org.stellaops.backup.testkit.RepositoryFaultContract;
import software.amazon.awssdk.services.s3.model.MultipartUpload;

/** A repository's life in a bucket, on a good wire and on one that breaks at any request. */
@SuppressWarnings("NullAway.Init") // JUnit calls start, the contract newSink
class S3RepositoryTest extends RepositoryFaultContract {
  private static ProxiedServer server;
  private static AgeIdentity identity;
  private @Nullable String bucket;

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
    String fresh = server.newBucket();
    // All of them are in this JVM's memory.
    if (bucket != null) {
      server.dropBucket(bucket);
    }
    bucket = fresh;
    return server.sink(fresh).endpoint(address).prefix("p");
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

  @Test
  void what_cannot_be_listed_to_its_end_lists_nothing(@TempDir Path temp) throws Exception {
    var host = new BackupHost(temp, server.newSink(), identity, recipient(), this::keys);
    host.write(1, 10_000);
    for (int i = 1; i <= 4; i++) {
      host.backUp("snapshot-" + i);
    }
    server
        .proxy()
        .follow(
            ProxyPlan.on(
                r -> r.query().contains("continuation-token"),
                ProxyFault.status(
                    403,
                    Map.of(),
                    "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>")));

    var e = assertThrows(BackupException.Sink.class, () -> host.isThere("snapshot-1"));

    assertEquals(CoreFailure.SINK_DENIED, e.code(), e.getMessage());
    assertTrue(e.getMessage().contains("s3:ListBucket"), e::getMessage);
  }
}
