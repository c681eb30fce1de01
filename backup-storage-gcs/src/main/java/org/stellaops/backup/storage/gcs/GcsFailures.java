package org.stellaops.backup.storage.gcs;

import static org.stellaops.backup.internal.cloud.StoreFailures.find;

import com.google.api.client.http.HttpResponseException;
import com.google.cloud.BaseServiceException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.cloud.StoreFailures;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;

/**
 * What Google and the network say, as failures of a store.
 *
 * <p>Statuses are those of <i>HTTP status and error codes for JSON</i>. A bucket that is missing is
 * REFUSED, not NOT_FOUND: nobody may take it for an absent object.
 */
final class GcsFailures {
  private static final int MAX_DEPTH = 20;
  private static final Set<Integer> PASSING = Set.of(408, 500, 502, 504);

  /** What the token service answers to credentials that it does not take. */
  private static final Set<Integer> NO_TOKEN = Set.of(400, 401, 403);

  /** Too many requests, and the answer of a service that has no room for more. */
  private static final Set<Integer> BUSY = Set.of(429, 503);

  private static final Set<String> THROTTLED =
      Set.of("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded");

  /** Where these are needed, only the bucket can be missing. */
  private static final Set<String> OF_BUCKET =
      Set.of(GcsRequests.LIST, GcsRequests.CREATE, GcsRequests.LOOK);

  private final StoreFailures failures;
  private final String bucket;

  GcsFailures(StoreFailures failures, String bucket) {
    this.failures = failures;
    this.bucket = bucket;
  }

  /**
   * The failure of a request, or the exception itself where it is a mistake of the program.
   *
   * @param right what the credential must be allowed, for whoever has to grant it
   */
  IOException translate(String tried, String right, Exception e) {
    if (e instanceof BackupException already) {
      return already;
    }
    if (Thread.currentThread().isInterrupted()
        || find(e, InterruptedException.class) != null
        || isInterruptedRead(e)) {
      return failures.interrupted(tried);
    }
    if (find(e, BaseServiceException.class) instanceof BaseServiceException answered
        && answered.getCode() >= 300) {
      return answered(tried, right, answered);
    }
    return unanswered(tried, e);
  }

  private static boolean isInterruptedRead(Exception e) {
    Throwable found = find(e, InterruptedIOException.class);
    return found != null && !(found instanceof SocketTimeoutException);
  }

  private IOException unanswered(String tried, Exception e) {
    String said = words(e);
    if (isTokenRefused(said, e)) {
      return noToken(tried, said, e);
    }
    Throwable network = find(e, IOException.class);
    if (network == null
        && e instanceof RuntimeException bug
        && !(e instanceof BaseServiceException)) {
      throw bug;
    }
    return failures.of(
        CoreFailure.STORE_UNREACHABLE,
        StoreFailures.isDistrusted(e) ? Reason.REFUSED : Reason.TRANSIENT,
        tried,
        String.valueOf(network == null ? e.getMessage() : network),
        network == null ? e : network);
  }

  /** By an answer of the token service: when none comes, that may pass. */
  private static boolean isTokenRefused(String said, Exception e) {
    return said.contains("invalid_grant")
        || (said.contains("Error getting access token") && said.contains("unauthorized"))
        || (find(e, HttpResponseException.class) instanceof HttpResponseException answered
            && NO_TOKEN.contains(answered.getStatusCode()));
  }

  /** Google's token service knows clocks that are off and keys that were taken back. */
  private BackupException.Sink noToken(String tried, String said, Exception e) {
    boolean isSkewed = said.contains("reasonable timeframe") || said.contains("iat and exp");
    return failures.of(
        isSkewed ? CoreFailure.CLOCK_SKEWED : CoreFailure.CREDENTIALS_REFUSED,
        Reason.DENIED,
        tried,
        "Google gives no token for these credentials",
        e);
  }

  private BackupException.Sink answered(String tried, String right, BaseServiceException e) {
    int status = e.getCode();
    String reason = Optional.ofNullable(e.getReason()).orElse("");
    String said = "status %d %s".formatted(status, reason).stripTrailing();
    if (BUSY.contains(status) || THROTTLED.contains(reason)) {
      return failures.of(CoreFailure.STORE_BUSY, Reason.TRANSIENT, tried, said, e);
    }
    if (PASSING.contains(status)) {
      return failures.of(CoreFailure.SINK_FAILED, Reason.TRANSIENT, tried, said, e);
    }
    return switch (status) {
      case 400 ->
          failures.of(
              CoreFailure.SINK_FAILED,
              isDamaged(e) ? Reason.TRANSIENT : Reason.REFUSED,
              tried,
              said,
              e);
      case 401 -> failures.of(CoreFailure.CREDENTIALS_REFUSED, Reason.DENIED, tried, said, e);
      case 403 -> denied(tried, said, right, reason, e);
      case 404 ->
          OF_BUCKET.contains(right) || isOfBucket(e)
              ? missing(tried, e)
              : failures.of(CoreFailure.OBJECT_NOT_FOUND, Reason.NOT_FOUND, tried, said, e);
      case 412 -> failures.of(CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS, tried, said, e);
      default -> failures.of(CoreFailure.SINK_FAILED, Reason.REFUSED, tried, said, e);
    };
  }

  private BackupException.Sink denied(
      String tried, String said, String right, String reason, BaseServiceException e) {
    String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    boolean isProtected =
        reason.equals("retentionPolicyNotMet")
            || reason.equals("objectUnderActiveHold")
            || message.contains("retention policy")
            || message.contains("active hold");
    return isProtected
        ? failures.of(CoreFailure.OBJECT_LOCKED, Reason.LOCKED, tried, said, e)
        : failures.of(
            CoreFailure.SINK_DENIED,
            Reason.DENIED,
            tried,
            "%s; hint: this needs the right %s".formatted(said, right),
            e);
  }

  /** What was asked is not there, or not any more. */
  static boolean isGone(Exception e) {
    return find(e, BaseServiceException.class) instanceof BaseServiceException answered
        && (answered.getCode() == 404 || answered.getCode() == 410);
  }

  /** Bytes that were checked here came as others; of this, too, only the words say so. */
  private static boolean isDamaged(BaseServiceException e) {
    String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    return message.contains("crc32c") && message.contains("match");
  }

  /** Google has one status for both; only the words differ. */
  private static boolean isOfBucket(BaseServiceException e) {
    return String.valueOf(e.getMessage()).contains("bucket does not exist");
  }

  BackupException.Sink missing(String tried, @Nullable Throwable cause) {
    return failures.of(
        CoreFailure.BUCKET_MISSING, Reason.REFUSED, tried, "there is no bucket " + bucket, cause);
  }

  /** Of all causes: the SDK wraps what the token service said several times. */
  private static String words(Throwable e) {
    var said = new StringBuilder();
    Throwable at = e;
    for (int depth = 0; at != null && depth < MAX_DEPTH; depth++) {
      said.append(at.getMessage()).append(' ');
      at = at.getCause();
    }
    return said.toString();
  }
}
