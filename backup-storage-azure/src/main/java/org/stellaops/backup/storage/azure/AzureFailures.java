package org.stellaops.backup.storage.azure;

import static org.stellaops.backup.internal.cloud.StoreFailures.find;

import com.azure.core.exception.ClientAuthenticationException;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.exception.UnexpectedLengthException;
import com.azure.core.http.HttpHeaderName;
import com.azure.core.http.HttpHeaders;
import com.azure.core.http.HttpResponse;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.stellaops.backup.internal.cloud.StoreFailures;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;

/**
 * What Azure and the network say, as failures of a store.
 *
 * <p>Codes are those of <i>Blob service error codes</i> and <i>Common REST API error codes</i>. A
 * container that is missing is REFUSED, not NOT_FOUND: nobody may take it for an absent object.
 */
final class AzureFailures {
  private static final HttpHeaderName ERROR_CODE = HttpHeaderName.fromString("x-ms-error-code");
  private static final HttpHeaderName REQUEST_ID = HttpHeaderName.fromString("x-ms-request-id");
  private static final HttpHeaderName SIGNED_AT = HttpHeaderName.fromString("x-ms-date");

  /** Azure refuses what was signed 15 minutes before or after its own time. */
  private static final Duration MAX_SKEW = Duration.ofMinutes(14);

  private static final Set<Integer> PASSING = Set.of(408, 500, 502, 504);

  /** ServerBusy and too many requests: beyond what the account may. */
  private static final Set<Integer> BUSY = Set.of(429, 503);

  private static final Set<String> FOREIGN_CREDENTIALS =
      Set.of("AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation");

  private static final Map<String, Kind> KINDS =
      Map.ofEntries(
          Map.entry("BlobNotFound", new Kind(CoreFailure.OBJECT_NOT_FOUND, Reason.NOT_FOUND)),
          Map.entry("ContainerNotFound", new Kind(CoreFailure.BUCKET_MISSING, Reason.REFUSED)),
          Map.entry("ResourceNotFound", new Kind(CoreFailure.BUCKET_MISSING, Reason.REFUSED)),
          Map.entry("ContainerBeingDeleted", new Kind(CoreFailure.BUCKET_MISSING, Reason.REFUSED)),
          Map.entry("ContainerDisabled", new Kind(CoreFailure.BUCKET_MISSING, Reason.REFUSED)),
          Map.entry(
              "BlobAlreadyExists", new Kind(CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS)),
          Map.entry("BlobArchived", new Kind(CoreFailure.NOT_RETRIEVED, Reason.NOT_YET_RETRIEVED)),
          Map.entry(
              "BlobBeingRehydrated", new Kind(CoreFailure.NOT_RETRIEVED, Reason.NOT_YET_RETRIEVED)),
          Map.entry("BlobImmutableDueToPolicy", new Kind(CoreFailure.OBJECT_LOCKED, Reason.LOCKED)),
          Map.entry(
              "BlobImmutableDueToLegalHold", new Kind(CoreFailure.OBJECT_LOCKED, Reason.LOCKED)),
          Map.entry("LeaseIdMissing", new Kind(CoreFailure.OBJECT_LOCKED, Reason.LOCKED)),
          // Whoever makes a blob sweeps away the blocks that others staged under its name.
          Map.entry("InvalidBlockList", new Kind(CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS)),
          // What was sent did not arrive as it was.
          Map.entry("Md5Mismatch", new Kind(CoreFailure.SINK_FAILED, Reason.TRANSIENT)));

  private final StoreFailures failures;

  AzureFailures(StoreFailures failures) {
    this.failures = failures;
  }

  /**
   * The failure of a request, or the exception itself where it is a mistake of the program.
   *
   * @param right what the credential must be allowed, for whoever has to grant it
   */
  IOException translate(String tried, String right, RuntimeException e) {
    if (find(e, InterruptedException.class) != null) {
      return failures.interrupted(tried);
    }
    if (find(e, HttpResponseException.class) instanceof HttpResponseException answered
        && answered.getResponse() != null) {
      return answered(tried, right, answered);
    }
    if (find(e, ClientAuthenticationException.class) != null) {
      return failures.of(CoreFailure.CREDENTIALS_REFUSED, Reason.DENIED, tried, "no token", e);
    }
    return unanswered(tried, e);
  }

  private IOException unanswered(String tried, RuntimeException e) {
    Throwable network =
        Stream.of(IOException.class, TimeoutException.class, UnexpectedLengthException.class)
            .map(type -> find(e, type))
            .flatMap(found -> Optional.ofNullable(found).stream())
            .findFirst()
            .orElseThrow(() -> e);
    Reason reason = StoreFailures.isDistrusted(e) ? Reason.REFUSED : Reason.TRANSIENT;
    return failures.of(CoreFailure.STORE_UNREACHABLE, reason, tried, words(network), network);
  }

  private BackupException.Sink answered(String tried, String right, HttpResponseException e) {
    HttpResponse response = e.getResponse();
    int status = response.getStatusCode();
    String code = Optional.ofNullable(response.getHeaderValue(ERROR_CODE)).orElse("");
    String said =
        "status %d %s, request %s"
            .formatted(
                status,
                code.isEmpty() ? "without a code" : code,
                response.getHeaderValue(REQUEST_ID));
    Kind known = KINDS.get(code);
    if (known != null) {
      return failures.of(known.code(), known.reason(), tried, said, e);
    }
    if (status == 401 || status == 403) {
      return denied(tried, said, right, code, e);
    }
    if (status == 412) {
      return failures.of(CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS, tried, said, e);
    }
    if (BUSY.contains(status)) {
      return failures.of(CoreFailure.STORE_BUSY, Reason.TRANSIENT, tried, said, e);
    }
    return failures.of(
        CoreFailure.SINK_FAILED,
        PASSING.contains(status) ? Reason.TRANSIENT : Reason.REFUSED,
        tried,
        said,
        e);
  }

  private BackupException.Sink denied(
      String tried, String said, String right, String code, HttpResponseException e) {
    Optional<Duration> skew = skew(e.getResponse());
    if (skew.isPresent() && skew.get().abs().compareTo(MAX_SKEW) > 0) {
      return failures.of(
          CoreFailure.CLOCK_SKEWED,
          Reason.DENIED,
          tried,
          "%s; this host's clock is %d minutes off Azure's"
              .formatted(said, skew.get().abs().toMinutes()),
          e);
    }
    if (FOREIGN_CREDENTIALS.contains(code) || code.isEmpty()) {
      return failures.of(CoreFailure.CREDENTIALS_REFUSED, Reason.DENIED, tried, said, e);
    }
    return failures.of(
        CoreFailure.SINK_DENIED,
        Reason.DENIED,
        tried,
        "%s; hint: this needs the right to %s".formatted(said, right),
        e);
  }

  /** How far the time that was signed is from Azure's. */
  private static Optional<Duration> skew(HttpResponse response) {
    HttpHeaders sent = response.getRequest().getHeaders();
    String ours =
        Optional.ofNullable(sent.getValue(SIGNED_AT)).orElse(sent.getValue(HttpHeaderName.DATE));
    String theirs = response.getHeaderValue(HttpHeaderName.DATE);
    if (ours == null || theirs == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(Duration.between(time(theirs), time(ours)));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  private static Instant time(String header) {
    return Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(header));
  }

  private static String words(Throwable e) {
    String message = e.getMessage();
    return e.getClass().getSimpleName() + (message == null ? "" : " " + message);
  }

  private record Kind(CoreFailure code, Reason reason) {}
}
