package org.stellaops.backup.storage.azure;

import com.azure.core.util.Configuration;
import com.azure.storage.blob.BlobServiceClientBuilder;
import com.azure.storage.common.StorageSharedKeyCredential;
import java.net.URI;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.BackupSinkContract;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;

/** The contract against Azurite in a container. */
@Tag("docker")
@Testcontainers(disabledWithoutDocker = true)
class AzuriteContainerTest extends BackupSinkContract {
  private static final int PORT = 10_000;

  @Container
  private static final GenericContainer<?> AZURITE =
      new GenericContainer<>("mcr.microsoft.com/azure-storage/azurite:3.35.0")
          .withCommand(
              "azurite-blob",
              "--inMemoryPersistence",
              "--disableTelemetry",
              "--skipApiVersionCheck",
              "--blobHost",
              "0.0.0.0")
          .withExposedPorts(PORT)
          .waitingFor(Wait.forListeningPort());

  @Override
  protected BackupSink newSink() {
    URI endpoint =
        URI.create(
            "http://%s:%d/%s"
                .formatted(AZURITE.getHost(), AZURITE.getMappedPort(PORT), Azurite.ACCOUNT));
    String container = "c-" + UUID.randomUUID();
    new BlobServiceClientBuilder()
        .endpoint(endpoint.toString())
        .configuration(Configuration.NONE)
        .credential(new StorageSharedKeyCredential(Azurite.ACCOUNT, Azurite.KEY))
        .httpClient(new JdkTransport(Duration.ofSeconds(30), 32 << 20))
        .buildClient()
        .createBlobContainer(container);
    return AzureSink.container(container)
        .endpoint(endpoint)
        .sharedKey(Azurite.ACCOUNT, () -> Secret.of(Azurite.KEY))
        .prefix("some/where");
  }
}
