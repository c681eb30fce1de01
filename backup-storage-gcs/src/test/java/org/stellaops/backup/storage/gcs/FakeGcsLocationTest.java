package org.stellaops.backup.storage.gcs;

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

/** Buckets of fake-gcs-server by their URIs, also without us. */
@Tag("interop")
@SuppressWarnings("NullAway.Init") // JUnit calls start first
class FakeGcsLocationTest extends LocationContract {
  private static FakeGcs server;

  @BeforeAll
  static void start() throws Exception {
    int port = FakeGcs.freePort();
    server = FakeGcs.start(port, URI.create("http://127.0.0.1:" + port));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Override
  protected URI newLocation() {
    return URI.create(
        "gs://%s/site-a?endpoint=%s".formatted(server.newBucket(), server.endpoint()));
  }

  @Override
  protected StoreCredentials credentials() {
    return StoreCredentials.anonymous();
  }

  @Override
  protected StoreCredentials unfit() {
    return StoreCredentials.key("somebody", () -> Secret.of("something"));
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
            "google cloud storage",
            "RCLONE_CONFIG_THEIR_ANONYMOUS",
            "true",
            "RCLONE_CONFIG_THEIR_ENDPOINT",
            server.endpoint() + "/storage/v1/"));
  }
}
