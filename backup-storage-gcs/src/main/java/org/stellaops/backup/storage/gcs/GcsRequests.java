package org.stellaops.backup.storage.gcs;

import com.google.cloud.storage.Blob;
import com.google.cloud.storage.Storage;
import java.io.IOException;
import java.util.Optional;
import org.stellaops.backup.internal.cloud.Attempts;
import org.stellaops.backup.internal.cloud.Gate;
import org.stellaops.backup.internal.cloud.Request;
import org.stellaops.backup.internal.cloud.StoreFailures;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.Stopping;

/** Makes requests and names what failed. */
final class GcsRequests {
  /** Rights, as Google's IAM calls them. */
  static final String READ = "storage.objects.get";

  static final String LIST = "storage.objects.list";
  static final String CREATE = "storage.objects.create";
  static final String LOOK = "storage.buckets.get";

  private final GcsSettings settings;
  private final GcsConnection connection;
  private final Gate gate = new Gate();
  private final StoreFailures failures;
  private final GcsFailures answers;
  private final Attempts attempts;

  GcsRequests(GcsSettings settings, GcsConnection connection, Stopping stopping) {
    this.settings = settings;
    this.connection = connection;
    this.failures = new StoreFailures(settings.describe());
    this.answers = new GcsFailures(failures, settings.bucket());
    this.attempts = new Attempts(settings.cloud().retry(), stopping, gate);
  }

  StoreFailures failures() {
    return failures;
  }

  Gate gate() {
    return gate;
  }

  /** There is no such bucket. */
  BackupException.Sink missing(String tried) {
    return answers.missing(tried, null);
  }

  /**
   * One request, made again when it failed in a way that may pass; so it must be one that can be
   * made again.
   *
   * @param right what the credential must be allowed
   */
  <T> T send(String tried, String right, Request<T> request) throws IOException {
    return attempts.make(() -> named(tried, right, request));
  }

  /** Several requests, each by {@link #once}, made again as one. */
  <T> T again(Request<T> requests) throws IOException {
    return attempts.again(requests);
  }

  /** One request, made once. */
  <T> T once(String tried, String right, Request<T> request) throws IOException {
    return attempts.once(() -> named(tried, right, request));
  }

  private <T> T named(String tried, String right, Request<T> request) throws IOException {
    try {
      return request.send();
    } catch (RuntimeException | IOException e) {
      throw answers.translate(tried, right, e);
    }
  }

  /** What is known of an object; empty if there is none, but not if there is no bucket. */
  Optional<Blob> find(String tried, ObjectName name) throws IOException {
    // The SDK answers a missing bucket as a missing object.
    Optional<Blob> found =
        Optional.ofNullable(send(tried, READ, () -> connection.storage().get(connection.id(name))));
    if (found.isEmpty()) {
      requireBucket(tried);
    }
    return found;
  }

  /** The same, for whoever needs it. */
  Blob get(String tried, ObjectName name) throws IOException {
    return find(tried, name).orElseThrow(() -> failures.notFound(tried));
  }

  /** Fails if there is no such bucket. Whoever stores there may list, but not always look at it. */
  void requireBucket(String tried) throws IOException {
    send(
        tried,
        LIST,
        () ->
            connection
                .storage()
                .list(
                    settings.bucket(),
                    Storage.BlobListOption.pageSize(1),
                    Storage.BlobListOption.prefix(settings.cloud().prefix()),
                    Storage.BlobListOption.fields(Storage.BlobField.NAME)));
  }
}
