package org.stellaops.backup.storage.azure;

import com.azure.storage.blob.BlobContainerClient;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
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

/** A repository's life in a container, on a good wire and on one that fails at any request. */
@Tag("interop")
@SuppressWarnings("NullAway.Init") // JUnit calls start, the contract newSink
class AzuriteRepositoryTest extends RepositoryFaultContract {
  private static final int CONTAINERS_AT_ONCE = 40;

  private static Azurite server;
  private static AgeIdentity identity;
  private static int containers;
  private BlobContainerClient container;

  @BeforeAll
  static void start() throws IOException {
    server = Azurite.start();
    identity = AgeIdentity.generate();
  }

  @AfterAll
  static void stop() {
    server.close();
    identity.close();
  }

  @Override
  protected URI server() {
    return server.endpoint().resolve("/");
  }

  @Override
  protected BackupSink newSink(URI address) throws IOException {
    // It looks through everything that it holds for whatever it is asked.
    if (++containers % CONTAINERS_AT_ONCE == 0) {
      server.restart();
    }
    container = server.newContainer();
    return server
        .sink(container.getBlobContainerName())
        .at(Duration.ofSeconds(-5))
        .endpoint(address.resolve("/" + Azurite.ACCOUNT))
        .prefix("p")
        .partBytes(64 << 10)
        .retry(new RetryPolicy(4, Duration.ZERO, Duration.ZERO));
  }

  @Override
  protected int fileBytes() {
    return 150_000;
  }

  @Override
  protected List<String> unfinishedUploads() {
    return Azurite.unfinished(container);
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
