package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.net.URI;
import java.util.Objects;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.stellaops.backup.Locations;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoreCredentials;
import org.stellaops.backup.spi.StoredObject;
import org.stellaops.backup.testkit.BackupSinkContract;

/**
 * The contract against a bucket that the environment names by its URI, with whatever credentials
 * the SDK's default chain finds; what it stored is removed.
 */
@Tag("docker")
@EnabledIfEnvironmentVariable(named = RealBucketIT.URI_VARIABLE, matches = ".+")
class RealBucketIT extends BackupSinkContract {
  static final String URI_VARIABLE = "STELLA_S3_URI";

  @Override
  protected BackupSink newSink() throws Exception {
    return Locations.sink(fresh(), StoreCredentials.defaultChain());
  }

  /** A folder of its own below the one that was named. */
  private static URI fresh() {
    String[] parts =
        Objects.requireNonNull(System.getenv(URI_VARIABLE), URI_VARIABLE).split("\\?", 2);
    String query = parts.length == 2 ? "?" + parts[1] : "";
    return URI.create(
        "%s/contract/%s%s".formatted(parts[0].replaceAll("/+$", ""), UUID.randomUUID(), query));
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
}
