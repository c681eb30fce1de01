package org.stellaops.backup.storage.gcs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
 * The contract against a bucket of Google, where the environment names one; what it stored is
 * removed.
 */
@Tag("docker")
@EnabledIfEnvironmentVariable(named = "STELLA_GCS_BUCKET", matches = ".+")
class RealGcsContractTest extends BackupSinkContract {
  @Override
  protected BackupSink newSink() {
    return GcsSink.bucket(variable("STELLA_GCS_BUCKET"))
        .serviceAccount(RealGcsContractTest::keyFile)
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

  private static Secret keyFile() {
    try {
      return Secret.of(Files.readString(Path.of(variable("STELLA_GCS_KEY_FILE"))));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String variable(String name) {
    return Objects.requireNonNull(System.getenv(name), name + " is not set");
  }
}
