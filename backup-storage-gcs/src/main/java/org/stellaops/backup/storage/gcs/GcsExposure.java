package org.stellaops.backup.storage.gcs;

import com.google.cloud.Policy;
import com.google.cloud.storage.Bucket;
import com.google.cloud.storage.BucketInfo;
import com.google.cloud.storage.Storage.BucketGetOption;
import com.google.cloud.storage.Storage.BucketSourceOption;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.StoreAbility;

/** Looks who else can get at the bucket, and how it is protected. */
final class GcsExposure implements StoreAbility.Exposure {
  private static final String PUBLIC = "sink: check.public-access";
  private static final String TRANSPORT = "sink: check.transport";
  private static final String IMMUTABLE = "sink: check.immutability";

  /** Everybody, and everybody who has an account with Google. */
  private static final Set<String> ANYBODY = Set.of("allUsers", "allAuthenticatedUsers");

  private static final int POLICY_VERSION = 3;

  private final GcsSettings settings;
  private final GcsConnection connection;
  private final GcsRequests requests;

  GcsExposure(GcsSettings settings, GcsConnection connection, GcsRequests requests) {
    this.settings = settings;
    this.connection = connection;
    this.requests = requests;
  }

  @Override
  public void check(Checks checks) throws IOException {
    checks.add(transport());
    String tried = "look at the bucket";
    try {
      Bucket bucket =
          requests.send(
              tried,
              GcsRequests.LOOK,
              () -> connection.storage().get(settings.bucket(), new BucketGetOption[0]));
      if (bucket == null) {
        throw requests.missing(tried);
      }
      checks.add(immutability(bucket));
      checks.add(publicAccess(bucket));
    } catch (BackupException.Sink e) {
      if (e.reason() != Reason.DENIED) {
        throw e;
      }
      checks.add(CheckResult.skip(PUBLIC, e.detail()));
    }
  }

  private CheckResult transport() {
    return settings.isEncrypted()
        ? CheckResult.pass(TRANSPORT, "https")
        : CheckResult.warn(
            TRANSPORT,
            "the endpoint is asked without TLS",
            "use https, except for an emulator on this host");
  }

  private CheckResult publicAccess(Bucket bucket) throws IOException {
    boolean isPrevented =
        Optional.ofNullable(bucket.getIamConfiguration())
            .map(BucketInfo.IamConfiguration::getPublicAccessPrevention)
            .filter(BucketInfo.PublicAccessPrevention.ENFORCED::equals)
            .isPresent();
    if (isPrevented) {
      return CheckResult.pass(PUBLIC, "public access prevention is enforced");
    }
    Set<String> open = rolesOfAnybody();
    return open.isEmpty()
        ? CheckResult.warn(
            PUBLIC,
            "the bucket gives anybody nothing, and nothing prevents that it will",
            "enforce public access prevention")
        : CheckResult.fail(PUBLIC, "anybody has " + open, CoreFailure.STORE_EXPOSED.remedy());
  }

  private Set<String> rolesOfAnybody() throws IOException {
    Policy policy =
        requests.send(
            "look at the policy",
            "storage.buckets.getIamPolicy",
            () ->
                connection
                    .storage()
                    .getIamPolicy(
                        settings.bucket(),
                        BucketSourceOption.requestedPolicyVersion(POLICY_VERSION)));
    return policy.getBindingsList().stream()
        .filter(binding -> binding.getMembers().stream().anyMatch(ANYBODY::contains))
        .map(binding -> binding.getRole())
        .collect(Collectors.toSet());
  }

  private CheckResult immutability(Bucket bucket) {
    boolean canLock =
        Optional.ofNullable(bucket.getObjectRetention())
            .map(BucketInfo.ObjectRetention::getMode)
            .filter(BucketInfo.ObjectRetention.Mode.ENABLED::equals)
            .isPresent();
    if (settings.retention() != null && !canLock) {
      return CheckResult.fail(
          IMMUTABLE,
          "object retention is off, and locks are asked for",
          CoreFailure.LOCK_MISSING.remedy());
    }
    if (canLock || bucket.getRetentionPeriodDuration() != null) {
      return CheckResult.pass(
          IMMUTABLE, canLock ? "object retention is on" : "the bucket has a retention policy");
    }
    return CheckResult.warn(
        IMMUTABLE,
        "whoever has the credentials can delete what is stored",
        "use a bucket with object retention, or keep another copy elsewhere");
  }
}
