package org.stellaops.backup.storage.s3;

import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.function.Function;
import javax.xml.stream.XMLStreamException;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.spi.Stopping;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;

/** Requests to one bucket: each waits for its place, and its failure is translated. */
final class S3Calls {
  private final S3Client client;
  private final S3Location location;
  private final S3Gate gate;
  private final Stopping stopping;
  private final S3Failures failures;
  private final int attempts;

  S3Calls(
      S3Client client,
      S3Location location,
      S3Gate gate,
      Stopping stopping,
      S3Failures failures,
      int attempts) {
    this.client = client;
    this.location = location;
    this.gate = gate;
    this.stopping = stopping;
    this.failures = failures;
    this.attempts = attempts;
  }

  String bucket() {
    return location.bucket();
  }

  S3Location location() {
    return location;
  }

  S3Failures failures() {
    return failures;
  }

  Stopping stopping() {
    return stopping;
  }

  /** Whether requests of both can name each other's objects. */
  boolean isSameService(S3Calls other) {
    return client == other.client;
  }

  /**
   * Makes a request whose failure the caller looks at.
   *
   * @throws SdkException as the SDK throws it
   */
  <T> T attempt(Function<S3Client, T> request) throws BackupException.Stopped {
    for (int attempt = 1; ; attempt++) {
      gate.enter(stopping);
      try {
        return request.apply(client);
      } catch (UncheckedIOException e) {
        if (attempt >= attempts) {
          throw SdkClientException.create("the reply was cut off", e.getCause());
        }
      } catch (SdkClientException e) {
        if (attempt >= attempts || !isCutOff(e)) {
          throw e;
        }
      } finally {
        gate.leave();
      }
    }
  }

  /** A reply that is no whole document, which the SDK takes for an answer and does not repeat. */
  private static boolean isCutOff(SdkClientException e) {
    for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
      if (cause instanceof XMLStreamException) {
        return true;
      }
    }
    return false;
  }

  /**
   * Makes a request.
   *
   * @param tried what for, for messages; its first word says which right is needed
   */
  <T> T make(String tried, Function<S3Client, T> request) throws BackupException {
    try {
      return attempt(request);
    } catch (SdkException e) {
      throw failures.translate(tried, e);
    }
  }

  /** What is known of an object; empty if there is none. */
  Optional<HeadObjectResponse> head(String tried, String key) throws BackupException {
    try {
      return Optional.of(attempt(c -> c.headObject(r -> r.bucket(bucket()).key(key))));
    } catch (SdkException e) {
      requireExplained(tried, key, e);
      return Optional.empty();
    }
  }

  /** The same, of an object that has to be there. */
  HeadObjectResponse headOf(String tried, String key) throws BackupException {
    return head(tried, key).orElseThrow(() -> failures.notFound(tried));
  }

  /**
   * Returns if the object is absent, and throws otherwise. A reply to HEAD has no body and so no
   * code: which of the reasons it was, a reply to a listing of the same key says.
   */
  private void requireExplained(String tried, String key, SdkException e) throws BackupException {
    int status = e instanceof AwsServiceException reply ? reply.statusCode() : 0;
    if (status < 300 || status >= 500) {
      throw failures.translate(tried, e);
    }
    try {
      attempt(c -> c.listObjectsV2(r -> r.bucket(bucket()).prefix(key).maxKeys(1)));
    } catch (SdkException why) {
      boolean isListingForbidden = S3Failures.isCode(why, "AccessDenied");
      if (!isListingForbidden) {
        throw failures.translate(tried, why);
      }
    }
    if (status != 404) {
      throw failures.translate(tried, e);
    }
  }
}
