package org.stellaops.backup.storage.gcs;

import com.google.cloud.BaseServiceException;
import com.google.cloud.storage.Blob;
import com.google.cloud.storage.BlobInfo;
import java.io.IOException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.StoreAbility;

/** Protects objects by a retention of their own; one of the bucket counts as well. */
final class GcsLocking implements StoreAbility.Locking {
  private static final int BAD_REQUEST = 400;
  private static final int PRECONDITION_FAILED = 412;

  private final GcsSink.Retention mode;
  private final GcsConnection connection;
  private final GcsRequests requests;

  GcsLocking(GcsSink.Retention mode, GcsConnection connection, GcsRequests requests) {
    this.mode = mode;
    this.connection = connection;
    this.requests = requests;
  }

  @Override
  public Optional<Instant> lockedUntil(ObjectName name) throws IOException {
    Blob found = requests.get("stat " + name, name);
    if (Boolean.TRUE.equals(found.getTemporaryHold())
        || Boolean.TRUE.equals(found.getEventBasedHold())) {
      return Optional.of(Instant.MAX);
    }
    Optional<OffsetDateTime> own =
        Optional.ofNullable(found.getRetention()).map(BlobInfo.Retention::getRetainUntilTime);
    Optional<OffsetDateTime> ofBucket =
        Optional.ofNullable(found.getRetentionExpirationTimeOffsetDateTime());
    return Stream.of(own, ofBucket)
        .flatMap(Optional::stream)
        .map(OffsetDateTime::toInstant)
        .max(Comparator.naturalOrder());
  }

  @Override
  public void lock(ObjectName name, Instant until) throws IOException {
    Optional<Instant> now = lockedUntil(name);
    if (now.isPresent() && !now.get().isBefore(until)) {
      return;
    }
    BlobInfo locked =
        BlobInfo.newBuilder(connection.id(name))
            .setRetention(
                BlobInfo.Retention.newBuilder()
                    .setMode(
                        mode == GcsSink.Retention.LOCKED
                            ? BlobInfo.Retention.Mode.LOCKED
                            : BlobInfo.Retention.Mode.UNLOCKED)
                    .setRetainUntilTime(until.atOffset(ZoneOffset.UTC))
                    .build())
            .build();
    String tried = "lock " + name;
    requests.send(
        tried,
        "storage.objects.setRetention",
        () -> {
          try {
            return connection.storage().update(locked);
          } catch (BaseServiceException e) {
            if (e.getCode() == BAD_REQUEST || e.getCode() == PRECONDITION_FAILED) {
              throw requests
                  .failures()
                  .cannotLock(tried, "the bucket was made without object retention", e);
            }
            throw e;
          }
        });
  }
}
