package org.stellaops.backup.storage.s3;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ObjectName;
import software.amazon.awssdk.services.s3.model.CopyObjectRequest;
import software.amazon.awssdk.services.s3.model.CreateMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.ObjectLockMode;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;

/**
 * On which terms objects are stored.
 *
 * @param storageClass null means the bucket's default
 * @param kmsKey null means whatever the bucket encrypts with
 * @param lock null means that nothing is protected
 * @param isConditional whether the server knows {@code If-None-Match: *}
 */
record S3Terms(
    @Nullable String storageClass,
    @Nullable String kmsKey,
    @Nullable Lock lock,
    S3Sink.Checksums checksums,
    boolean isConditional,
    Map<String, String> labels) {
  /** Nothing special. */
  static final S3Terms PLAIN =
      new S3Terms(null, null, null, S3Sink.Checksums.SHA256, true, Map.of());

  /** Whose put it was: what settles a lost reply. */
  static final String NONCE = "stella-put";

  S3Terms {
    labels = Map.copyOf(labels);
    if (lock != null && checksums == S3Sink.Checksums.NONE) {
      // A bucket with object lock takes nothing without, and says so as if it had no lock.
      throw new IllegalArgumentException("objectLock needs checksums, found checksums(NONE)");
    }
  }

  /** Terms of a put, on a request for it. */
  PutObjectRequest.Builder on(PutObjectRequest.Builder request, Placing placing) {
    request.metadata(placing.metadata());
    if (isConditional && placing.isCreating()) {
      request.ifNoneMatch("*");
    }
    if (storageClass != null) {
      request.storageClass(storageClass);
    }
    if (kmsKey != null) {
      request.serverSideEncryption(ServerSideEncryption.AWS_KMS).ssekmsKeyId(kmsKey);
    }
    placing
        .until()
        .ifPresent(until -> request.objectLockMode(mode().model).objectLockRetainUntilDate(until));
    return request;
  }

  /** The same on a request for an upload in parts. */
  CreateMultipartUploadRequest.Builder on(
      CreateMultipartUploadRequest.Builder request, Placing placing) {
    request.metadata(placing.metadata());
    if (storageClass != null) {
      request.storageClass(storageClass);
    }
    if (kmsKey != null) {
      request.serverSideEncryption(ServerSideEncryption.AWS_KMS).ssekmsKeyId(kmsKey);
    }
    placing
        .until()
        .ifPresent(until -> request.objectLockMode(mode().model).objectLockRetainUntilDate(until));
    return request;
  }

  /** The same on a request for a copy. */
  CopyObjectRequest.Builder on(CopyObjectRequest.Builder request, Placing placing) {
    request.metadata(placing.metadata());
    if (isConditional && placing.isCreating()) {
      request.ifNoneMatch("*");
    }
    if (storageClass != null) {
      request.storageClass(storageClass);
    }
    if (kmsKey != null) {
      request.serverSideEncryption(ServerSideEncryption.AWS_KMS).ssekmsKeyId(kmsKey);
    }
    placing
        .until()
        .ifPresent(until -> request.objectLockMode(mode().model).objectLockRetainUntilDate(until));
    return request;
  }

  /** Until when a new object is protected; empty if it is not. */
  Optional<Instant> protectedUntil(ObjectName name, Instant now) {
    return lock == null ? Optional.empty() : lock.on(name).map(now::plus);
  }

  private S3Sink.LockMode mode() {
    if (lock == null) {
      throw new IllegalStateException("a protection without a mode");
    }
    return lock.mode();
  }

  /**
   * One put of one name.
   *
   * @param nonce of this put, whatever number of requests it takes
   * @param until its protection; empty without
   * @param isCreating the name must be free
   */
  record Placing(String nonce, Optional<Instant> until, boolean isCreating) {
    Map<String, String> metadata() {
      return Map.of(NONCE, nonce);
    }
  }

  /**
   * The protection that new objects get.
   *
   * @param period how long
   */
  record Lock(S3Sink.LockMode mode, Duration period) {
    /** Signs of life are deleted when the next one is there. */
    private static final String DELETABLE = "beat/";

    /** Small segments of a stream are soon replaced by one large; those that stay are extended. */
    private static final Pattern REPLACEABLE = Pattern.compile("w/[^/]+/stream/.*");

    private static final Duration REPLACEABLE_PERIOD = Duration.ofHours(24);

    Optional<Duration> on(ObjectName name) {
      if (name.value().startsWith(DELETABLE)) {
        return Optional.empty();
      }
      boolean isShort =
          REPLACEABLE.matcher(name.value()).matches() && period.compareTo(REPLACEABLE_PERIOD) > 0;
      return Optional.of(isShort ? REPLACEABLE_PERIOD : period);
    }

    ObjectLockMode model() {
      return mode.model;
    }
  }
}
