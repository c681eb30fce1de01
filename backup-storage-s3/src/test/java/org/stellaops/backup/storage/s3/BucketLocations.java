package org.stellaops.backup.storage.s3;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.StoreCredentials;
import org.stellaops.backup.spi.WriterKeyring;
import org.stellaops.backup.testkit.KeyPair;
import org.stellaops.backup.testkit.LocationContract;

/** Buckets by their URIs, with keys of age. */
abstract class BucketLocations extends LocationContract {
  private final String accessKey;
  private final String secretKey;

  BucketLocations(String accessKey, String secretKey) {
    this.accessKey = accessKey;
    this.secretKey = secretKey;
  }

  @Override
  protected final StoreCredentials credentials() {
    return StoreCredentials.key(accessKey, () -> Secret.of(secretKey));
  }

  @Override
  protected final StoreCredentials unfit() {
    return StoreCredentials.document(() -> Secret.of(secretKey));
  }

  @Override
  protected final KeyPair newOwner(Path file) throws Exception {
    AgeIdentity identity = AgeIdentity.generate();
    identity.writeTo(file);
    return new KeyPair(identity.recipient(), identity);
  }

  @Override
  protected final WriterKeyring writer(Path file, String name) {
    return WriterKeyFile.at(file).named(name);
  }

  /** With rclone, which asks the same server for the same bucket. */
  final void requireRecoveredWithRclone(URI server) throws Exception {
    requireRecoveredWithStockTools(
        uri -> List.of("rclone", "copy", "their:" + uri.getAuthority() + uri.getPath(), "fetched"),
        Map.of(
            "RCLONE_CONFIG",
            "/dev/null",
            "RCLONE_CONFIG_THEIR_TYPE",
            "s3",
            "RCLONE_CONFIG_THEIR_PROVIDER",
            "Other",
            "RCLONE_CONFIG_THEIR_ENDPOINT",
            server.toString(),
            "RCLONE_CONFIG_THEIR_ACCESS_KEY_ID",
            accessKey,
            "RCLONE_CONFIG_THEIR_SECRET_ACCESS_KEY",
            secretKey));
  }
}
