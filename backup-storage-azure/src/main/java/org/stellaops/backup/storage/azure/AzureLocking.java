package org.stellaops.backup.storage.azure;

import com.azure.storage.blob.models.BlobImmutabilityPolicy;
import com.azure.storage.blob.models.BlobImmutabilityPolicyMode;
import com.azure.storage.blob.models.BlobProperties;
import com.azure.storage.blob.models.BlobStorageException;
import java.io.IOException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.StoreAbility;

/** Protects blobs by time-based immutability policies of their own. */
final class AzureLocking implements StoreAbility.Locking {
  private static final int BAD_REQUEST = 400;
  private static final int CONFLICT = 409;

  private final AzureSink.Immutability mode;
  private final AzureConnection connection;
  private final AzureRequests requests;

  AzureLocking(AzureSink.Immutability mode, AzureConnection connection, AzureRequests requests) {
    this.mode = mode;
    this.connection = connection;
    this.requests = requests;
  }

  @Override
  public Optional<Instant> lockedUntil(ObjectName name) throws IOException {
    BlobProperties found =
        requests.send("stat " + name, "read blobs", connection.blob(name)::getProperties);
    if (Boolean.TRUE.equals(found.hasLegalHold())) {
      return Optional.of(Instant.MAX);
    }
    return Optional.ofNullable(found.getImmutabilityPolicy())
        .map(BlobImmutabilityPolicy::getExpiryTime)
        .map(OffsetDateTime::toInstant);
  }

  @Override
  public void lock(ObjectName name, Instant until) throws IOException {
    Optional<Instant> now = lockedUntil(name);
    if (now.isPresent() && !now.get().isBefore(until)) {
      return;
    }
    var policy =
        new BlobImmutabilityPolicy()
            .setExpiryTime(wholeSeconds(until))
            .setPolicyMode(
                mode == AzureSink.Immutability.LOCKED
                    ? BlobImmutabilityPolicyMode.LOCKED
                    : BlobImmutabilityPolicyMode.UNLOCKED);
    String tried = "lock " + name;
    requests.send(
        tried,
        "set immutability policies",
        () -> {
          try {
            return connection.blob(name).setImmutabilityPolicy(policy);
          } catch (BlobStorageException e) {
            if (e.getStatusCode() == BAD_REQUEST || e.getStatusCode() == CONFLICT) {
              throw requests
                  .failures()
                  .cannotLock(tried, "the container has no version-level immutability", e);
            }
            throw e;
          }
        });
  }

  /** The header has no fractions; cut off they would end the protection early. */
  private static OffsetDateTime wholeSeconds(Instant until) {
    Instant down = until.truncatedTo(ChronoUnit.SECONDS);
    return (down.equals(until) ? down : down.plusSeconds(1)).atOffset(ZoneOffset.UTC);
  }
}
