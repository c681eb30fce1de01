package org.stellaops.backup.storage.gcs;

import java.net.URI;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.spi.LocationProvider;
import org.stellaops.backup.spi.ObjectLocation;
import org.stellaops.backup.spi.StoreCredentials;
import org.stellaops.backup.store.LocationUri;

/** Buckets of Google by their {@code gs:} URIs; {@link GcsSink#of} tells what may stand in one. */
public final class GcsLocationProvider implements LocationProvider {
  private static final String SCHEME = "gs";

  /** For {@link java.util.ServiceLoader}. */
  public GcsLocationProvider() {}

  @Override
  public Optional<ObjectLocation> locate(URI uri, StoreCredentials credentials)
      throws BackupException {
    if (!SCHEME.equalsIgnoreCase(uri.getScheme())) {
      return Optional.empty();
    }
    LocationUri location = LocationUri.parse(uri);
    return Optional.of(asked(sink(location), credentials, location));
  }

  /** Takes everything that a URI may say. */
  static GcsSink sink(LocationUri uri) throws BackupException.Refused {
    if (!uri.scheme().equals(SCHEME)) {
      throw uri.refused("is of no bucket of Google's; hint: gs://bucket/folder");
    }
    GcsSink sink = GcsSink.bucket(uri.bucket()).prefix(uri.prefix());
    Optional<URI> endpoint = uri.takeEndpoint();
    if (endpoint.isPresent()) {
      sink = sink.endpoint(endpoint.get());
    }
    Optional<GcsSink.StorageClass> storageClass =
        uri.takeOneOf(GcsSink.StorageClass.class, "storage-class");
    if (storageClass.isPresent()) {
      sink = sink.storageClass(storageClass.get());
    }
    uri.requireNoMore("endpoint", "storage-class");
    return sink;
  }

  private static GcsSink asked(GcsSink sink, StoreCredentials credentials, LocationUri uri)
      throws BackupException.Refused {
    return switch (credentials.kind()) {
      case DOCUMENT -> sink.serviceAccount(credentials.secret());
      case DEFAULT_CHAIN -> sink.defaultCredentials();
      case ANONYMOUS -> sink.withoutCredentials();
      case NONE, KEY ->
          throw uri.unfit(
              "Google takes the key file of a service account, StoreCredentials.document(…), or on"
                  + " purpose .defaultChain()");
    };
  }
}
