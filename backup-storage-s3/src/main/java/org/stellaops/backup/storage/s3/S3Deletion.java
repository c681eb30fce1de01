package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ObjectLockLegalHoldStatus;

/**
 * Removes objects, not only from sight: where the bucket keeps versions, each of them by its id.
 * The newest goes last, so that a removal which is interrupted shows no older bytes.
 */
final class S3Deletion {
  private final S3Calls calls;
  private final S3Versions versions;
  private final S3Terms terms;
  private final InstantSource clock;
  private final AtomicReference<@Nullable Boolean> isVersioned = new AtomicReference<>();

  S3Deletion(S3Calls calls, S3Terms terms, S3Pace pace, InstantSource clock) {
    this.calls = calls;
    versions = new S3Versions(calls, pace.pageSize());
    this.terms = terms;
    this.clock = clock;
  }

  void delete(String tried, String key) throws IOException {
    if (!hasVersions()) {
      remove(tried, key, null);
      return;
    }
    for (S3Versions.Version version : versions.of(tried, key)) {
      remove(tried, key, version.id());
    }
  }

  /** A server that does not say it keeps versions is taken to keep none. */
  private boolean hasVersions() throws BackupException.Stopped {
    Boolean known = isVersioned.get();
    if (known == null) {
      known = terms.lock() != null || askForVersioning();
      isVersioned.set(known);
    }
    return known;
  }

  private boolean askForVersioning() throws BackupException.Stopped {
    try {
      BucketVersioningStatus status =
          calls.attempt(c -> c.getBucketVersioning(r -> r.bucket(calls.bucket()))).status();
      return status == BucketVersioningStatus.ENABLED || status == BucketVersioningStatus.SUSPENDED;
    } catch (SdkException e) {
      return false;
    }
  }

  private void remove(String tried, String key, @Nullable String version) throws BackupException {
    try {
      calls.attempt(c -> c.deleteObject(r -> r.bucket(calls.bucket()).key(key).versionId(version)));
    } catch (SdkException e) {
      BackupException failure = calls.failures().translate(tried, e);
      if (S3Failures.isMissing(e) && !S3Failures.isCode(e, "NoSuchBucket")) {
        return;
      }
      throw version == null || S3Failures.isUncertain(e) || S3Failures.isMissing(e)
          ? failure
          : protection(key, version)
              .<BackupException>map(until -> calls.failures().locked(tried, until))
              .orElse(failure);
    }
  }

  /** A refused removal does not say in one way on all servers that it was for a protection. */
  private Optional<String> protection(String key, String version) throws BackupException.Stopped {
    try {
      HeadObjectResponse head =
          calls.attempt(
              c -> c.headObject(r -> r.bucket(calls.bucket()).key(key).versionId(version)));
      if (head.objectLockLegalHoldStatus() == ObjectLockLegalHoldStatus.ON) {
        return Optional.of("by a legal hold");
      }
      return Optional.ofNullable(head.objectLockRetainUntilDate())
          .filter(until -> until.isAfter(clock.instant()))
          .map(until -> "until " + until);
    } catch (SdkException e) {
      return Optional.empty();
    }
  }
}
