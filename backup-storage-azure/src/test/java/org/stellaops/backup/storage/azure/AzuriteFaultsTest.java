package org.stellaops.backup.storage.azure;

import java.io.IOException;
import java.net.URI;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.WireFaultContract;

/** Every request to Azurite fails in every way. */
@Tag("interop")
@SuppressWarnings("NullAway.Init") // JUnit calls start first
class AzuriteFaultsTest extends WireFaultContract {
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
  protected URI server() {
    return azurite.endpoint().resolve("/");
  }

  @Override
  protected Function<URI, BackupSink> newPlace() {
    String container = azurite.newContainer().getBlobContainerName();
    return address ->
        azurite
            .sink(container)
            .endpoint(address.resolve("/" + Azurite.ACCOUNT))
            .partBytes(64 << 10)
            .retry(ScriptedService.ONCE);
  }

  @Override
  protected int largeBytes() {
    return 150_000;
  }
}
