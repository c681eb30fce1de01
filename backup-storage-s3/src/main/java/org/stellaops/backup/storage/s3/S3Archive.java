package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.StoreAbility;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.OptionalObjectAttributes;
import software.amazon.awssdk.services.s3.model.RestoreStatus;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.s3.model.StorageClass;
import software.amazon.awssdk.services.s3.model.Tier;

/** Objects in the storage classes that are read hours after they were asked for. */
final class S3Archive implements StoreAbility.Retrieval {
  private final S3Calls calls;
  private final S3Pace pace;

  S3Archive(S3Calls calls, S3Pace pace) {
    this.calls = calls;
    this.pace = pace;
  }

  @Override
  public State stateOf(ObjectName name) throws IOException {
    return stateOf(calls.headOf("stat " + name, calls.location().key(name)));
  }

  @Override
  public void states(String prefix, Each each) throws IOException {
    ListObjectsV2Request.Builder request =
        ListObjectsV2Request.builder()
            .bucket(calls.bucket())
            .prefix(calls.location().key(prefix))
            .optionalObjectAttributes(OptionalObjectAttributes.RESTORE_STATUS)
            .maxKeys(pace.pageSize());
    String tried = "list '%s'".formatted(prefix);
    String token = null;
    boolean isMore = true;
    while (isMore) {
      ListObjectsV2Response page = calls.make(tried, c -> c.listObjectsV2(request.build()));
      for (S3Object object : page.contents()) {
        Optional<ObjectName> name = calls.location().name(object.key());
        Optional<State> state = stateOf(object);
        if (name.isPresent() && state.isPresent()) {
          each.take(name.get(), state.get());
        }
      }
      isMore = Boolean.TRUE.equals(page.isTruncated());
      if (isMore) {
        calls.failures().requireFurther(tried, token, page.nextContinuationToken());
      }
      token = page.nextContinuationToken();
      request.continuationToken(token);
    }
  }

  /**
   * Empty where a listing does not tell: of the archives within intelligent tiering, and of what is
   * archived on servers that leave out what was asked for on top.
   */
  private Optional<State> stateOf(S3Object object) {
    String storageClass = String.valueOf(object.storageClassAsString());
    if (storageClass.equals("INTELLIGENT_TIERING")) {
      return Optional.empty();
    }
    if (!storageClass.equals("GLACIER") && !storageClass.equals("DEEP_ARCHIVE")) {
      return Optional.of(State.READABLE);
    }
    RestoreStatus restore = object.restoreStatus();
    if (restore != null) {
      return Optional.of(
          Boolean.TRUE.equals(restore.isRestoreInProgress()) ? State.UNDER_WAY : State.READABLE);
    }
    return calls.location().endpoint() == null ? Optional.of(State.COLD) : Optional.empty();
  }

  /** The header of the restore is there from the request on until the copy is gone again. */
  static State stateOf(HeadObjectResponse head) {
    boolean isArchived =
        head.storageClass() == StorageClass.GLACIER
            || head.storageClass() == StorageClass.DEEP_ARCHIVE
            || head.archiveStatus() != null;
    if (!isArchived) {
      return State.READABLE;
    }
    String restore = head.restore() == null ? "" : head.restore();
    if (restore.contains("ongoing-request=\"true\"")) {
      return State.UNDER_WAY;
    }
    return restore.contains("ongoing-request=\"false\"") ? State.READABLE : State.COLD;
  }

  @Override
  public void request(ObjectName name, Duration readable) throws IOException {
    if (stateOf(name) != State.COLD) {
      return;
    }
    int days = (int) Math.max(1, readable.plusDays(1).minusNanos(1).toDays());
    String tried = "request " + name;
    try {
      calls.attempt(
          c ->
              c.restoreObject(
                  r ->
                      r.bucket(calls.bucket())
                          .key(calls.location().key(name))
                          .restoreRequest(
                              q -> q.days(days).glacierJobParameters(g -> g.tier(Tier.STANDARD)))));
    } catch (SdkException e) {
      if (!S3Failures.isCode(e, "RestoreAlreadyInProgress", "ObjectAlreadyInActiveTierError")) {
        throw calls.failures().translate(tried, e);
      }
    }
  }
}
