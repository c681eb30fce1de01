package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ObjectLockLegalHoldStatus;

/**
 * Removes objects, not only from sight: where the bucket keeps versions, each of them by its id.
 * The newest goes last, so that a removal which is interrupted shows no older bytes.
 */
final class S3Deletion {
  /** Not allowed to ask, or nothing that the server could be asked. */
  private static final Set<Integer> NOT_TOLD = Set.of(403, 405, 501);

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
    if (!hasVersions(tried)) {
      remove(tried, key, null);
      return;
    }
    for (S3Versions.Version version : versions.of(tried, key)) {
      remove(tried, key, version.id());
    }
  }

  private boolean hasVersions(String tried) throws BackupException {
    Boolean known = isVersioned.get();
    return known != null ? known : terms.lock() != null || askForVersioning(tried);
  }

  /**
   * A server that does not know of versions, or does not tell us, is taken to keep none. Only what
   * it says is remembered: a deletion that does less than it could is not to be the rule.
   */
  private boolean askForVersioning(String tried) throws BackupException {
    try {
      BucketVersioningStatus status =
          calls.attempt(c -> c.getBucketVersioning(r -> r.bucket(calls.bucket()))).status();
      boolean isKept =
          status == BucketVersioningStatus.ENABLED || status == BucketVersioningStatus.SUSPENDED;
      isVersioned.set(isKept);
      return isKept;
    } catch (SdkException e) {
      if (e instanceof AwsServiceException reply && NOT_TOLD.contains(reply.statusCode())) {
        return false;
      }
      throw calls.failures().translate(tried, e);
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
