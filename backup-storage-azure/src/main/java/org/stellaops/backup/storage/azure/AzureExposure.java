package org.stellaops.backup.storage.azure;

import com.azure.storage.blob.models.BlobContainerProperties;
import com.azure.storage.blob.models.PublicAccessType;
import java.io.IOException;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.StoreAbility;

/** Looks who else can get at the container, and how it is protected. */
final class AzureExposure implements StoreAbility.Exposure {
  private static final String PUBLIC = "sink: check.public-access";
  private static final String TRANSPORT = "sink: check.transport";
  private static final String IMMUTABLE = "sink: check.immutability";

  private final AzureSettings settings;
  private final AzureConnection connection;
  private final AzureRequests requests;

  AzureExposure(AzureSettings settings, AzureConnection connection, AzureRequests requests) {
    this.settings = settings;
    this.connection = connection;
    this.requests = requests;
  }

  @Override
  public void check(Checks checks) throws IOException {
    checks.add(transport());
    BlobContainerProperties found;
    try {
      found =
          requests.send(
              "look at the container",
              "read the container's properties",
              connection.container()::getProperties);
    } catch (BackupException.Sink e) {
      if (e.reason() != Reason.DENIED) {
        throw e;
      }
      checks.add(CheckResult.skip(PUBLIC, e.detail()));
      checks.add(CheckResult.skip(IMMUTABLE, e.detail()));
      return;
    }
    checks.add(publicAccess(found.getBlobPublicAccess()));
    checks.add(immutability(found));
  }

  private CheckResult transport() {
    return settings.service().startsWith("https://")
        ? CheckResult.pass(TRANSPORT, "https")
        : CheckResult.warn(
            TRANSPORT,
            "the endpoint is asked without TLS",
            "use https, except for an emulator on this host");
  }

  private static CheckResult publicAccess(PublicAccessType access) {
    return access == null
        ? CheckResult.pass(PUBLIC, "the container gives anonymous readers nothing")
        : CheckResult.fail(
            PUBLIC,
            "anybody can read the container: public access level " + access,
            CoreFailure.STORE_EXPOSED.remedy());
  }

  private CheckResult immutability(BlobContainerProperties found) {
    boolean canLock = Boolean.TRUE.equals(found.isImmutableStorageWithVersioningEnabled());
    if (settings.immutability() != null && !canLock) {
      return CheckResult.fail(
          IMMUTABLE,
          "version-level immutability is off, and locks are asked for",
          CoreFailure.LOCK_MISSING.remedy());
    }
    if (canLock || found.hasImmutabilityPolicy()) {
      return CheckResult.pass(
          IMMUTABLE,
          canLock ? "version-level immutability is on" : "the container has a policy of its own");
    }
    return CheckResult.warn(
        IMMUTABLE,
        "whoever has the credentials can delete what is stored",
        "use a container with version-level immutability, or keep another copy elsewhere");
  }
}
