package org.stellaops.backup.storage.azure;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.BackupSinkContract;

/** The contract against Azurite: objects of one request, and with a prefix. */
@Tag("interop")
@SuppressWarnings("NullAway.Init") // JUnit calls start first
class AzuriteContractTest extends BackupSinkContract {
  private static Azurite azurite;

  @BeforeAll
  static void start() throws IOException {
    azurite = Azurite.start();
  }

  @AfterAll
  static void stop() {
    azurite.close();
  }

  @Override
  protected BackupSink newSink() {
    return azurite.newSink().prefix("some/where");
  }
}
