package org.stellaops.backup.storage.gcs;

import com.google.api.client.http.javanet.NetHttpTransport;
import com.google.api.gax.retrying.RetrySettings;
import com.google.auth.Credentials;
import com.google.cloud.http.HttpTransportOptions;
import com.google.cloud.storage.BlobId;
import com.google.cloud.storage.HttpStorageOptions;
import com.google.cloud.storage.Storage;
import com.google.cloud.storage.StorageOptions;
import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.util.Objects;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ObjectName;

/** A client of one bucket. */
final class GcsConnection implements Closeable {
  /** The SDK looks for a project in the environment unless it has one; objects need none. */
  private static final String NO_PROJECT = "none";

  private final GcsSettings settings;
  private final Credentials credentials;
  private final Storage storage;
  private final UploadSessions uploads;

  private GcsConnection(
      GcsSettings settings, Credentials credentials, Storage storage, UploadSessions uploads) {
    this.settings = settings;
    this.credentials = credentials;
    this.storage = storage;
    this.uploads = uploads;
  }

  /** Asks the bucket nothing. */
  static GcsConnection open(GcsSettings settings) throws BackupException {
    GcsCredential credential = settings.credential();
    if (credential == null) {
      throw new IllegalStateException(
          "say who asks for %s: serviceAccount, credentials or defaultCredentials"
              .formatted(settings.describe()));
    }
    Credentials credentials = credential.resolve(settings);
    var uploads = new UploadSessions();
    HttpStorageOptions.Builder options =
        StorageOptions.http()
            .setProjectId(NO_PROJECT)
            .setCredentials(credentials)
            .setRetrySettings(oneAttempt())
            .setTransportOptions(transport(settings, uploads));
    URI endpoint = settings.cloud().endpoint();
    if (endpoint != null) {
      options.setHost(endpoint.toString());
    }
    return new GcsConnection(settings, credentials, options.build().getService(), uploads);
  }

  /** The SDK's attempts and ours would multiply; ours know when a put is ours. */
  private static RetrySettings oneAttempt() {
    return RetrySettings.newBuilder().setMaxAttempts(1).build();
  }

  private static HttpTransportOptions transport(GcsSettings settings, UploadSessions uploads) {
    int millis = (int) Math.min(settings.cloud().timeout().toMillis(), Integer.MAX_VALUE);
    return HttpTransportOptions.newBuilder()
        .setHttpTransportFactory(
            () -> new NetHttpTransport.Builder().setConnectionFactory(uploads).build())
        .setConnectTimeout(millis)
        .setReadTimeout(millis)
        .build();
  }

  Storage storage() {
    return storage;
  }

  UploadSessions uploads() {
    return uploads;
  }

  BlobId id(ObjectName name) {
    return BlobId.of(settings.bucket(), settings.key(name));
  }

  /** Whether whoever asks here may ask there just as well. */
  boolean isOfSameServiceAs(GcsConnection other) {
    return Objects.equals(settings.cloud().endpoint(), other.settings.cloud().endpoint())
        && credentials.equals(other.credentials);
  }

  @Override
  public void close() throws IOException {
    try {
      storage.close();
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("close %s".formatted(settings.describe()), e);
    }
  }
}
