package org.stellaops.backup.storage.azure;

import java.io.IOException;
import java.net.URI;
import java.util.Objects;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoredObject;
import org.stellaops.backup.testkit.BackupSinkContract;

/**
 * The contract against a container of Azure, where the environment names one; what it stored is
 * removed.
 */
@Tag("docker")
@EnabledIfEnvironmentVariable(named = "STELLA_AZURE_CONTAINER", matches = ".+")
class RealAzureContractTest extends BackupSinkContract {
  @Override
  protected BackupSink newSink() {
    return AzureSink.container(variable("STELLA_AZURE_CONTAINER"))
        .endpoint(URI.create(variable("STELLA_AZURE_ENDPOINT")))
        .sas(() -> Secret.of(variable("STELLA_AZURE_SAS")))
        .prefix("contract/" + UUID.randomUUID());
  }

  @Override
  protected void assertNothingOpen(BackupSink tested) throws IOException {
    try (ObjectStore store = tested.open(StoreContext.system())) {
      PageToken token = PageToken.START;
      while (!token.equals(PageToken.END)) {
        ObjectPage page = store.list("", token);
        for (StoredObject object : page.objects()) {
          store.delete(object.name());
        }
        token = page.next();
      }
    }
  }

  private static String variable(String name) {
    return Objects.requireNonNull(System.getenv(name), name + " is not set");
  }
}
