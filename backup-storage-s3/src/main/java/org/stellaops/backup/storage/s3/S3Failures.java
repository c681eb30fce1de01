package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;

/** What the server's and the SDK's failures mean here; knows all status codes. */
final class S3Failures {
  private final S3Location location;
  private final InstantSource clock;

  S3Failures(S3Location location, InstantSource clock) {
    this.location = location;
    this.clock = clock;
  }

  /** The failure of a request. */
  BackupException translate(String tried, SdkException e) {
    if (e instanceof AbortedException || Thread.currentThread().isInterrupted()) {
      Thread.currentThread().interrupt();
      return new BackupException.Stopped(
          CoreFailure.CANCELLED, "interrupted within: %s, %s".formatted(tried, where()));
    }
    if (e instanceof AwsServiceException reply) {
      return replied(tried, reply);
    }
    return unreachable(tried, e);
  }

  /** The failure of a stream in the middle. */
  BackupException broken(String tried, IOException e) {
    return sink(
        CoreFailure.STORE_UNREACHABLE,
        Reason.TRANSIENT,
        "%s: the connection to %s broke".formatted(tried, where()),
        e);
  }

  /** There is no such object. */
  BackupException.Sink notFound(String tried) {
    return new BackupException.Sink(
        CoreFailure.OBJECT_NOT_FOUND,
        Reason.NOT_FOUND,
        "%s: no such object, %s".formatted(tried, where()));
  }

  /** The name is taken. */
  BackupException.Sink exists(String tried) {
    return new BackupException.Sink(
        CoreFailure.OBJECT_EXISTS,
        Reason.ALREADY_EXISTS,
        "%s: there is such an object, %s".formatted(tried, where()));
  }

  /** The object is protected. */
  BackupException.Sink locked(String tried, String until) {
    return new BackupException.Sink(
        CoreFailure.OBJECT_LOCKED,
        Reason.LOCKED,
        "%s: the object is protected %s, %s".formatted(tried, until, where()));
  }

  /** The bucket protects nothing, although that was asked for. */
  BackupException.Sink lockMissing(String tried) {
    return new BackupException.Sink(
        CoreFailure.LOCK_MISSING,
        Reason.REFUSED,
        "%s: %s was made without object lock, which was asked for".formatted(tried, where()));
  }

  /** Not done, for a reason of ours. */
  BackupException.Sink refused(String tried, String why) {
    return new BackupException.Sink(
        CoreFailure.SINK_FAILED, Reason.REFUSED, "%s: %s, %s".formatted(tried, why, where()));
  }

  /**
   * Fails if a listing that was cut does not go on: its next page would be the same again, or the
   * first.
   *
   * @param from where the page that was cut begins
   * @param to where the next one does
   */
  void requireFurther(String tried, @Nullable String from, @Nullable String to)
      throws BackupException.Sink {
    if (to == null || to.isEmpty() || to.equals(from)) {
      throw refused(tried, "the server does not say where the listing goes on");
    }
  }

  /** The reply does not say whether it was done. */
  static boolean isUncertain(SdkException e) {
    return !(e instanceof AwsServiceException reply)
        || reply.statusCode() >= 500
        || isCode(e, "RequestTimeout");
  }

  /** Bytes that were checked before they were sent came as others: the network did that. */
  static boolean isDamaged(SdkException e) {
    return isCode(e, "BadDigest", "XAmzContentChecksumMismatch");
  }

  /** Somebody has the name, or is about to: a refused condition. */
  static boolean isConflict(SdkException e) {
    return e instanceof AwsServiceException reply
        && (reply.statusCode() == 412 || reply.statusCode() == 409);
  }

  static boolean isMissing(SdkException e) {
    return e instanceof AwsServiceException reply && reply.statusCode() == 404;
  }

  /** Whether a reply has a code of these. */
  static boolean isCode(SdkException e, String... codes) {
    String code = e instanceof AwsServiceException reply ? codeOf(reply) : "";
    for (String one : codes) {
      if (one.equals(code)) {
        return true;
      }
    }
    return false;
  }

  private BackupException unreachable(String tried, SdkException e) {
    if (isDistrusted(e)) {
      return sink(
          CoreFailure.STORE_UNREACHABLE,
          Reason.REFUSED,
          "%s: the certificate of %s is not trusted: %s; hint: the JVM has to know who signed it (javax.net.ssl.trustStore)"
              .formatted(tried, where(), rootOf(e).getMessage()),
          e);
    }
    boolean isOurs = !(e instanceof SdkClientException) || hasNoIoCause(e);
    return isOurs
        ? sink(
            CoreFailure.SINK_FAILED,
            Reason.REFUSED,
            "%s: %s, %s".formatted(tried, e.getMessage(), where()),
            e)
        : sink(
            CoreFailure.STORE_UNREACHABLE,
            Reason.TRANSIENT,
            "%s: no reply from %s: %s".formatted(tried, where(), rootOf(e)),
            e);
  }

  /** That stays so; whatever else the network does may pass. */
  private static boolean isDistrusted(Throwable e) {
    for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
      if (cause instanceof CertificateException || cause instanceof SSLPeerUnverifiedException) {
        return true;
      }
    }
    return false;
  }

  private static boolean hasNoIoCause(Throwable e) {
    for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
      if (cause instanceof IOException) {
        return false;
      }
    }
    // A reply that could not be parsed is one that was cut off.
    String message = String.valueOf(e.getMessage());
    return !message.contains("parse") && !message.contains("unmarshall");
  }

  private static Throwable rootOf(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root;
  }

  private BackupException replied(String tried, AwsServiceException e) {
    String code = codeOf(e);
    return switch (code) {
      case "NoSuchBucket" ->
          fixed(tried, e, CoreFailure.BUCKET_MISSING, Reason.REFUSED, "there is no such bucket");
      case "NoSuchKey", "NoSuchVersion", "NotFound" -> notFound(tried, e);
      case "NoSuchUpload" ->
          fixed(
              tried,
              e,
              CoreFailure.SINK_FAILED,
              Reason.TRANSIENT,
              "the server knows nothing of the unfinished upload any more");
      case "BadDigest", "XAmzContentChecksumMismatch" ->
          fixed(
              tried,
              e,
              CoreFailure.SINK_FAILED,
              Reason.TRANSIENT,
              "the bytes were damaged on the way");
      case "RequestTimeout" ->
          fixed(
              tried,
              e,
              CoreFailure.SINK_FAILED,
              Reason.TRANSIENT,
              "the bytes did not come in time");
      case "InvalidAccessKeyId",
          "SignatureDoesNotMatch",
          "ExpiredToken",
          "InvalidToken",
          "TokenRefreshRequired",
          "InvalidClientTokenId",
          "UnrecognizedClientException",
          "NotSignedUp" ->
          fixed(
              tried,
              e,
              CoreFailure.CREDENTIALS_REFUSED,
              Reason.DENIED,
              "the server refused the credentials");
      case "RequestTimeTooSkewed", "RequestInTheFuture", "RequestExpired" -> skewed(tried, e);
      case "PermanentRedirect",
          "TemporaryRedirect",
          "AuthorizationHeaderMalformed",
          "IllegalLocationConstraintException",
          "InvalidRegion" ->
          elsewhere(tried, e);
      case "InvalidObjectState" ->
          fixed(
              tried,
              e,
              CoreFailure.NOT_RETRIEVED,
              Reason.NOT_YET_RETRIEVED,
              "the object lies in a cold tier");
      case "PreconditionFailed" -> exists(tried, e);
      case "ObjectLockConfigurationNotFoundError", "InvalidBucketState" ->
          fixed(
              tried, e, CoreFailure.LOCK_MISSING, Reason.REFUSED, "the bucket has no object lock");
      case "KeyTooLongError", "XMinioInvalidObjectName" ->
          fixed(tried, e, CoreFailure.NAME_REFUSED, Reason.REFUSED, "the server refuses the name");
      case "XMinioStorageFull",
          "QuotaExceeded",
          "XMinioAdminBucketQuotaExceeded",
          "InsufficientStorage" ->
          fixed(tried, e, CoreFailure.SINK_FULL, Reason.NO_SPACE, "there is no room");
      default -> byStatus(tried, e, code);
    };
  }

  private BackupException byStatus(String tried, AwsServiceException e, String code) {
    int status = e.statusCode();
    if (code.equals("InvalidRequest") && messageOf(e).contains("Object Lock")) {
      return messageOf(e).contains("WORM")
          ? locked(tried, "against being replaced or deleted")
          : fixed(
              tried, e, CoreFailure.LOCK_MISSING, Reason.REFUSED, "the bucket has no object lock");
    }
    return switch (status) {
      case 301, 307, 308 -> elsewhere(tried, e);
      case 401 ->
          fixed(
              tried,
              e,
              CoreFailure.CREDENTIALS_REFUSED,
              Reason.DENIED,
              "the server refused the credentials");
      case 403 ->
          fixed(
              tried,
              e,
              CoreFailure.SINK_DENIED,
              Reason.DENIED,
              "these credentials may not do that; hint: the right needed is %s"
                  .formatted(rightFor(tried)));
      case 404 -> notFound(tried, e);
      case 429, 503 ->
          fixed(tried, e, CoreFailure.STORE_BUSY, Reason.TRANSIENT, "the server asks to slow down");
      case 408, 409, 425 ->
          fixed(
              tried, e, CoreFailure.SINK_FAILED, Reason.TRANSIENT, "the server asks to come again");
      case 507 -> fixed(tried, e, CoreFailure.SINK_FULL, Reason.NO_SPACE, "there is no room");
      case 501 ->
          fixed(
              tried,
              e,
              CoreFailure.SINK_FAILED,
              Reason.REFUSED,
              "the server does not know this; hint: settings for such servers are in the guide");
      default ->
          fixed(
              tried,
              e,
              CoreFailure.SINK_FAILED,
              status >= 500 ? Reason.TRANSIENT : Reason.REFUSED,
              status >= 500 ? "the server failed" : "the server refused");
    };
  }

  private BackupException notFound(String tried, AwsServiceException e) {
    return fixed(
        tried, e, CoreFailure.OBJECT_NOT_FOUND, Reason.NOT_FOUND, "there is no such object");
  }

  private BackupException exists(String tried, AwsServiceException e) {
    return fixed(
        tried, e, CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS, "there is such an object");
  }

  private BackupException skewed(String tried, AwsServiceException e) {
    String offset =
        dateOf(e)
            .map(server -> Duration.between(server, clock.instant()))
            .map(
                by ->
                    "this host's clock is %d s %s the server's"
                        .formatted(by.abs().toSeconds(), by.isNegative() ? "behind" : "ahead of"))
            .orElse("this host's clock differs too much from the server's");
    return fixed(tried, e, CoreFailure.CLOCK_SKEWED, Reason.REFUSED, offset);
  }

  private BackupException elsewhere(String tried, AwsServiceException e) {
    String region =
        header(e, "x-amz-bucket-region")
            .map(there -> "the bucket is in region " + there)
            .orElse("the bucket is in another region or behind another endpoint");
    return fixed(
        tried,
        e,
        CoreFailure.WRONG_REGION,
        Reason.REFUSED,
        "%s, asked was %s".formatted(region, location.signingRegion().id()));
  }

  private BackupException fixed(
      String tried, AwsServiceException e, CoreFailure failure, Reason reason, String found) {
    return sink(
        failure,
        reason,
        "%s: %s, %s (status %d %s)".formatted(tried, found, where(), e.statusCode(), codeOf(e)),
        e);
  }

  private static BackupException sink(
      CoreFailure failure, Reason reason, String message, Exception cause) {
    return new BackupException.Sink(failure, reason, message, cause);
  }

  /** What a policy has to allow, by the first word of what was tried. */
  private static String rightFor(String tried) {
    String word = tried.split(" ", 2)[0].toLowerCase(Locale.ROOT);
    return switch (word) {
      case "put", "mend", "copy" -> "s3:PutObject, and s3:GetObject to settle lost replies";
      case "delete" -> "s3:DeleteObject, and s3:DeleteObjectVersion where there are versions";
      case "list" -> "s3:ListBucket";
      case "sweep" -> "s3:ListBucketMultipartUploads and s3:AbortMultipartUpload";
      case "lock" -> "s3:GetObjectRetention and s3:PutObjectRetention";
      case "request" -> "s3:RestoreObject";
      case "versions" -> "s3:ListBucketVersions and s3:GetObjectVersion";
      case "bring" -> "s3:ListBucketVersions, s3:DeleteObjectVersion or s3:PutObject";
      default -> "s3:GetObject, and s3:ListBucket, without which what is absent looks forbidden";
    };
  }

  private String where() {
    return location.server();
  }

  private static Optional<Instant> dateOf(AwsServiceException e) {
    try {
      return header(e, "Date")
          .map(date -> ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant());
    } catch (DateTimeParseException unreadable) {
      return Optional.empty();
    }
  }

  private static Optional<String> header(AwsServiceException e, String name) {
    AwsErrorDetails details = e.awsErrorDetails();
    return details == null || details.sdkHttpResponse() == null
        ? Optional.empty()
        : details.sdkHttpResponse().firstMatchingHeader(name);
  }

  private static String codeOf(AwsServiceException e) {
    AwsErrorDetails details = e.awsErrorDetails();
    return details == null || details.errorCode() == null ? "" : details.errorCode();
  }

  private static String messageOf(AwsServiceException e) {
    AwsErrorDetails details = e.awsErrorDetails();
    return details == null || details.errorMessage() == null ? "" : details.errorMessage();
  }
}
