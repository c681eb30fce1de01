package org.stellaops.backup.storage.gcs;

import com.google.cloud.BaseServiceException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;
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
  private static final Set<Integer> PASSING = Set.of(408, 429, 500, 502, 503, 504);
  private static final Set<String> THROTTLED =
      Set.of("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded");

  /** Where these are needed, only the bucket can be missing. */
  private static final Set<String> OF_BUCKET =
      Set.of(GcsRequests.LIST, GcsRequests.CREATE, GcsRequests.LOOK);

  private final GcsSettings settings;

  GcsFailures(GcsSettings settings) {
    this.settings = settings;
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
      Thread.currentThread().interrupt();
      return new BackupException.Stopped(CoreFailure.CANCELLED, "interrupted: " + place(tried));
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
    if (said.contains("invalid_grant") || said.contains("Error getting access token")) {
      return noToken(tried, said, e);
    }
    Throwable network = find(e, IOException.class);
    if (network == null
        && e instanceof RuntimeException bug
        && !(e instanceof BaseServiceException)) {
      throw bug;
    }
    // A certificate that is not trusted stays so; whatever else the network does may pass.
    boolean isDistrusted =
        find(e, SSLHandshakeException.class) != null
            || find(e, SSLPeerUnverifiedException.class) != null;
    return sink(
        CoreFailure.STORE_UNREACHABLE,
        isDistrusted ? Reason.REFUSED : Reason.TRANSIENT,
        "%s: %s".formatted(place(tried), network == null ? e.getMessage() : network),
        network == null ? e : network);
  }

  /** Google's token service knows clocks that are off and keys that were taken back. */
  private BackupException.Sink noToken(String tried, String said, Exception e) {
    boolean isSkewed = said.contains("reasonable timeframe") || said.contains("iat and exp");
    boolean isAnswered = said.contains("invalid_grant") || said.contains("unauthorized");
    if (!isAnswered && find(e, java.net.SocketException.class) != null) {
      return sink(
          CoreFailure.STORE_UNREACHABLE, Reason.TRANSIENT, place(tried) + ": no token came", e);
    }
    return sink(
        isSkewed ? CoreFailure.CLOCK_SKEWED : CoreFailure.CREDENTIALS_REFUSED,
        Reason.DENIED,
        place(tried) + ": Google gives no token for these credentials",
        e);
  }

  private BackupException.Sink answered(String tried, String right, BaseServiceException e) {
    int status = e.getCode();
    String reason = Optional.ofNullable(e.getReason()).orElse("");
    String said = "%s: status %d %s".formatted(place(tried), status, reason).stripTrailing();
    if (PASSING.contains(status) || THROTTLED.contains(reason)) {
      return sink(CoreFailure.SINK_FAILED, Reason.TRANSIENT, said, e);
    }
    return switch (status) {
      case 401 -> sink(CoreFailure.CREDENTIALS_REFUSED, Reason.DENIED, said, e);
      case 403 -> denied(said, right, reason, e);
      case 404 ->
          OF_BUCKET.contains(right) || isOfBucket(e)
              ? missing(tried, e)
              : sink(CoreFailure.OBJECT_NOT_FOUND, Reason.NOT_FOUND, said, e);
      case 412 -> sink(CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS, said, e);
      default -> sink(CoreFailure.SINK_FAILED, Reason.REFUSED, said, e);
    };
  }

  private static BackupException.Sink denied(
      String said, String right, String reason, BaseServiceException e) {
    String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    boolean isProtected =
        reason.equals("retentionPolicyNotMet")
            || reason.equals("objectUnderActiveHold")
            || message.contains("retention policy")
            || message.contains("active hold");
    return isProtected
        ? sink(CoreFailure.OBJECT_LOCKED, Reason.LOCKED, said, e)
        : sink(
            CoreFailure.SINK_DENIED,
            Reason.DENIED,
            "%s; hint: this needs the right %s".formatted(said, right),
            e);
  }

  /** Google has one status for both; only the words differ. */
  private static boolean isOfBucket(BaseServiceException e) {
    return String.valueOf(e.getMessage()).contains("bucket does not exist");
  }

  BackupException.Sink missing(String tried, @Nullable Throwable cause) {
    return sink(
        CoreFailure.BUCKET_MISSING,
        Reason.REFUSED,
        place(tried) + ": there is no bucket " + settings.bucket(),
        cause);
  }

  BackupException.Sink exists(String tried, @Nullable Throwable cause) {
    return sink(
        CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS, place(tried) + ": it exists", cause);
  }

  BackupException.Sink notFound(String tried) {
    return sink(CoreFailure.OBJECT_NOT_FOUND, Reason.NOT_FOUND, place(tried) + ": not found", null);
  }

  /** Google had something of that name, and has it no more. */
  BackupException.Sink vanished(String tried, Throwable cause) {
    return sink(
        CoreFailure.SINK_FAILED,
        Reason.TRANSIENT,
        place(tried) + ": something of that name was there and is gone",
        cause);
  }

  BackupException.Sink refused(String tried, String what) {
    return sink(CoreFailure.SINK_FAILED, Reason.REFUSED, place(tried) + ": " + what, null);
  }

  /** What was read is not what Google announced. */
  BackupException.Sink cut(String tried, String what) {
    return sink(CoreFailure.STORE_UNREACHABLE, Reason.TRANSIENT, place(tried) + ": " + what, null);
  }

  BackupException.Sink cannotLock(String tried, Throwable cause) {
    return sink(
        CoreFailure.LOCK_MISSING,
        Reason.REFUSED,
        place(tried) + ": the bucket was made without object retention",
        cause);
  }

  private String place(String tried) {
    return "%s in %s".formatted(tried, settings.describe());
  }

  private static BackupException.Sink sink(
      CoreFailure code, Reason reason, String message, @Nullable Throwable cause) {
    return new BackupException.Sink(code, reason, message, cause);
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

  private static @Nullable Throwable find(Throwable e, Class<? extends Throwable> type) {
    Throwable at = e;
    for (int depth = 0; at != null && depth < MAX_DEPTH; depth++) {
      if (type.isInstance(at)) {
        return at;
      }
      at = at.getCause();
    }
    return null;
  }
}
