package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.util.List;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.StoreAbility;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;
import software.amazon.awssdk.services.s3.model.Grant;
import software.amazon.awssdk.services.s3.model.ObjectLockEnabled;
import software.amazon.awssdk.services.s3.model.PublicAccessBlockConfiguration;

/**
 * Who else can get at a bucket, and how it is protected. What the server does not tell, or not to
 * these credentials, is said to be unknown: that is not the same as being well.
 */
final class S3Exposure implements StoreAbility.Exposure {
  private static final String CLOSE = CoreFailure.STORE_EXPOSED.remedy();

  private final S3Calls calls;
  private final S3Terms terms;

  S3Exposure(S3Calls calls, S3Terms terms) {
    this.calls = calls;
    this.terms = terms;
  }

  @Override
  public void check(Checks checks) throws IOException {
    for (Look look :
        List.<Look>of(
            new Look("sink: check.transport", this::transport),
            new Look("sink: check.public-policy", this::policy),
            new Look("sink: check.public-grants", this::grants),
            new Look("sink: check.public-access", this::accessBlock),
            new Look("sink: check.versioning", this::versions),
            new Look("sink: check.immutability", this::lock),
            new Look("sink: check.encryption", this::encryption))) {
      checks.stopping().check();
      checks.add(resultOf(look));
    }
  }

  private CheckResult resultOf(Look look) throws BackupException {
    try {
      return calls.attempt(client -> look.question().apply(client, look.id()));
    } catch (SdkException e) {
      if (e instanceof AwsServiceException reply && !S3Failures.isCode(e, "NoSuchBucket")) {
        return absent(look.id(), reply);
      }
      throw calls.failures().translate("check " + look.id(), e);
    }
  }

  /** Some of these are told by an error: that there is none. */
  private CheckResult absent(String id, AwsServiceException e) {
    if (S3Failures.isCode(e, "NoSuchBucketPolicy")) {
      return CheckResult.pass(id, "the bucket has no policy");
    }
    if (S3Failures.isCode(e, "NoSuchPublicAccessBlockConfiguration")) {
      return CheckResult.warn(
          id, "public access is not blocked", "block all public access of the bucket");
    }
    if (S3Failures.isCode(e, "ObjectLockConfigurationNotFoundError")) {
      return withoutLock(id);
    }
    if (S3Failures.isCode(e, "ServerSideEncryptionConfigurationNotFoundError")) {
      return CheckResult.pass(id, "the server encrypts nothing; what is stored is sealed");
    }
    return CheckResult.skip(
        id, "the server does not tell these credentials (status %d)".formatted(e.statusCode()));
  }

  private CheckResult transport(S3Client client, String id) {
    boolean isPlain =
        client
            .serviceClientConfiguration()
            .endpointOverride()
            .filter(endpoint -> "http".equals(endpoint.getScheme()))
            .isPresent();
    return isPlain
        ? CheckResult.warn(
            id, "the endpoint is asked without TLS", "use https, except for a server on this host")
        : CheckResult.pass(id, "https");
  }

  private CheckResult policy(S3Client client, String id) {
    boolean isPublic =
        Boolean.TRUE.equals(
            client.getBucketPolicyStatus(r -> r.bucket(calls.bucket())).policyStatus().isPublic());
    return isPublic
        ? CheckResult.fail(id, "the bucket's policy makes it public", CLOSE)
        : CheckResult.pass(id, "the bucket's policy is not public");
  }

  private CheckResult grants(S3Client client, String id) {
    List<String> everybody =
        client.getBucketAcl(r -> r.bucket(calls.bucket())).grants().stream()
            .filter(S3Exposure::isToEverybody)
            .map(grant -> String.valueOf(grant.permissionAsString()))
            .toList();
    return everybody.isEmpty()
        ? CheckResult.pass(id, "no grant to everybody")
        : CheckResult.fail(id, "everybody is granted " + everybody, CLOSE);
  }

  private static boolean isToEverybody(Grant grant) {
    String uri = grant.grantee() == null ? null : grant.grantee().uri();
    return uri != null && (uri.endsWith("/AllUsers") || uri.endsWith("/AuthenticatedUsers"));
  }

  private CheckResult accessBlock(S3Client client, String id) {
    PublicAccessBlockConfiguration block =
        client.getPublicAccessBlock(r -> r.bucket(calls.bucket())).publicAccessBlockConfiguration();
    boolean isWhole =
        Boolean.TRUE.equals(block.blockPublicAcls())
            && Boolean.TRUE.equals(block.blockPublicPolicy())
            && Boolean.TRUE.equals(block.ignorePublicAcls())
            && Boolean.TRUE.equals(block.restrictPublicBuckets());
    return isWhole
        ? CheckResult.pass(id, "all public access is blocked")
        : CheckResult.warn(
            id, "public access is blocked in part", "block all public access of the bucket");
  }

  private CheckResult versions(S3Client client, String id) {
    BucketVersioningStatus status =
        client.getBucketVersioning(r -> r.bucket(calls.bucket())).status();
    return status == BucketVersioningStatus.ENABLED
        ? CheckResult.pass(id, "versions are kept")
        : CheckResult.warn(
            id,
            "no versions are kept: what is deleted is gone at once",
            "turn on versioning, or object lock");
  }

  private CheckResult lock(S3Client client, String id) {
    boolean isEnabled =
        client
                .getObjectLockConfiguration(r -> r.bucket(calls.bucket()))
                .objectLockConfiguration()
                .objectLockEnabled()
            == ObjectLockEnabled.ENABLED;
    if (!isEnabled) {
      return withoutLock(id);
    }
    return terms.lock() == null
        ? CheckResult.warn(
            id,
            "the bucket can protect objects, and the sink does not ask for it",
            "S3Sink.objectLock")
        : CheckResult.pass(id, "objects are protected in mode " + terms.lock().mode());
  }

  private CheckResult withoutLock(String id) {
    return terms.lock() == null
        ? CheckResult.pass(id, "the bucket has no object lock, and none is asked for")
        : CheckResult.fail(id, "the bucket has no object lock", CoreFailure.LOCK_MISSING.remedy());
  }

  private CheckResult encryption(S3Client client, String id) {
    return CheckResult.pass(
        id,
        "the server encrypts with "
            + client
                .getBucketEncryption(r -> r.bucket(calls.bucket()))
                .serverSideEncryptionConfiguration()
                .rules()
                .stream()
                .map(
                    rule ->
                        rule.applyServerSideEncryptionByDefault() == null
                            ? "its default"
                            : rule.applyServerSideEncryptionByDefault().sseAlgorithmAsString())
                .toList());
  }

  /** One question. */
  private record Look(String id, Question question) {}

  /** What is asked, and what the answer means. */
  @FunctionalInterface
  private interface Question {
    CheckResult apply(S3Client client, String id);
  }
}
