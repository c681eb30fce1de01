package org.stellaops.backup.storage.azure;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.StoreCredentials;
import org.stellaops.backup.spi.WriterKeyring;
import org.stellaops.backup.testkit.KeyPair;
import org.stellaops.backup.testkit.LocationContract;

/** Containers of Azurite by their URIs, also without us. */
@Tag("interop")
@SuppressWarnings("NullAway.Init") // JUnit calls start first
class AzuriteLocationTest extends LocationContract {
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
  protected URI newLocation() {
    return URI.create(
        "azure://%s/site-a?endpoint=%s"
            .formatted(azurite.newContainer().getBlobContainerName(), azurite.endpoint()));
  }

  @Override
  protected StoreCredentials credentials() {
    return StoreCredentials.key(Azurite.ACCOUNT, () -> Secret.of(Azurite.KEY));
  }

  @Override
  protected StoreCredentials unfit() {
    return StoreCredentials.anonymous();
  }

  @Override
  protected KeyPair newOwner(Path file) throws Exception {
    AgeIdentity identity = AgeIdentity.generate();
    identity.writeTo(file);
    return new KeyPair(identity.recipient(), identity);
  }

  @Override
  protected WriterKeyring writer(Path file, String name) {
    return WriterKeyFile.at(file).named(name);
  }

  @Test
  void rclone_and_recover_sh_get_everything_back() throws Exception {
    requireRecoveredWithStockTools(
        uri -> List.of("rclone", "copy", "their:" + uri.getAuthority() + uri.getPath(), "fetched"),
        Map.of(
            "RCLONE_CONFIG",
            "/dev/null",
            "RCLONE_CONFIG_THEIR_TYPE",
            "azureblob",
            "RCLONE_CONFIG_THEIR_USE_EMULATOR",
            "true",
            "RCLONE_CONFIG_THEIR_ENDPOINT",
            azurite.endpoint().toString()));
  }
}
