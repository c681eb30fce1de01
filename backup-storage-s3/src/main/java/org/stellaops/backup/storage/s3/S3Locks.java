package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.time.Instant;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.StoreAbility;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.ObjectLockConfiguration;
import software.amazon.awssdk.services.s3.model.ObjectLockEnabled;
import software.amazon.awssdk.services.s3.model.ObjectLockRetention;
import software.amazon.awssdk.services.s3.model.ObjectLockRetentionMode;

/** Object Lock: the protection of single objects, which is only ever made longer. */
final class S3Locks implements StoreAbility.Locking {
  private final S3Calls calls;
  private final S3Terms.Lock lock;

  S3Locks(S3Calls calls, S3Terms.Lock lock) {
    this.calls = calls;
    this.lock = lock;
  }

  /** Refuses a bucket without it. Who may not ask finds out by the first put. */
  void require(String tried) throws BackupException {
    try {
      ObjectLockConfiguration configuration =
          calls
              .attempt(c -> c.getObjectLockConfiguration(r -> r.bucket(calls.bucket())))
              .objectLockConfiguration();
      if (configuration == null || configuration.objectLockEnabled() != ObjectLockEnabled.ENABLED) {
        throw calls.failures().lockMissing(tried);
      }
    } catch (SdkException e) {
      if (S3Failures.isCode(e, "AccessDenied")) {
        return;
      }
      boolean isWithout =
          S3Failures.isCode(
              e,
              "ObjectLockConfigurationNotFoundError",
              "NotImplemented",
              "MethodNotAllowed",
              "InvalidRequest");
      throw isWithout ? calls.failures().lockMissing(tried) : calls.failures().translate(tried, e);
    }
  }

  @Override
  public Optional<Instant> lockedUntil(ObjectName name) throws IOException {
    return retention("lock " + name, calls.location().key(name))
        .map(ObjectLockRetention::retainUntilDate);
  }

  @Override
  public void lock(ObjectName name, Instant until) throws IOException {
    String tried = "lock " + name;
    String key = calls.location().key(name);
    Optional<ObjectLockRetention> there = retention(tried, key);
    if (there.isPresent() && !there.get().retainUntilDate().isBefore(until)) {
      return;
    }
    ObjectLockRetentionMode mode =
        there.map(ObjectLockRetention::mode).orElse(ObjectLockRetentionMode.GOVERNANCE)
                == ObjectLockRetentionMode.COMPLIANCE
            ? ObjectLockRetentionMode.COMPLIANCE
            : ObjectLockRetentionMode.fromValue(lock.model().toString());
    calls.make(
        tried,
        c ->
            c.putObjectRetention(
                r ->
                    r.bucket(calls.bucket())
                        .key(key)
                        .retention(t -> t.mode(mode).retainUntilDate(until))));
  }

  private Optional<ObjectLockRetention> retention(String tried, String key) throws BackupException {
    try {
      return Optional.ofNullable(
          calls
              .attempt(c -> c.getObjectRetention(r -> r.bucket(calls.bucket()).key(key)))
              .retention());
    } catch (SdkException e) {
      if (S3Failures.isCode(e, "NoSuchObjectLockConfiguration")) {
        return Optional.empty();
      }
      throw calls.failures().translate(tried, e);
    }
  }
}
