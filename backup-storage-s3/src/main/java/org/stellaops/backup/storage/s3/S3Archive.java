package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.time.Duration;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.StoreAbility;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.StorageClass;
import software.amazon.awssdk.services.s3.model.Tier;

/** Objects in the storage classes that are read hours after they were asked for. */
final class S3Archive implements StoreAbility.Retrieval {
  private final S3Calls calls;

  S3Archive(S3Calls calls) {
    this.calls = calls;
  }

  @Override
  public State stateOf(ObjectName name) throws IOException {
    return stateOf(calls.headOf("stat " + name, calls.location().key(name)));
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
