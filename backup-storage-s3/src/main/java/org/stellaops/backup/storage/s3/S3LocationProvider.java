package org.stellaops.backup.storage.s3;

import java.net.URI;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.LocationProvider;
import org.stellaops.backup.spi.ObjectLocation;
import org.stellaops.backup.spi.StoreCredentials;
import org.stellaops.backup.store.LocationUri;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;

/** Buckets by their {@code s3:} URIs; {@link S3Sink#of} tells what may stand in one. */
public final class S3LocationProvider implements LocationProvider {
  private static final String SCHEME = "s3";

  /** For {@link java.util.ServiceLoader}. */
  public S3LocationProvider() {}

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
  static S3Sink sink(LocationUri uri) throws BackupException.Refused {
    if (!uri.scheme().equals(SCHEME)) {
      throw uri.refused("is of no bucket of S3; hint: s3://bucket/folder");
    }
    S3Sink sink = S3Sink.bucket(uri.bucket()).prefix(uri.prefix());
    Optional<URI> endpoint = uri.takeEndpoint();
    Optional<String> region = uri.take("region");
    if (endpoint.isPresent()) {
      sink = sink.endpoint(serverOnly(uri, endpoint.get()));
    } else if (region.isEmpty()) {
      throw uri.refused("names neither a region, of AWS, nor an endpoint, of another server");
    }
    if (region.isPresent()) {
      sink = sink.region(region.get());
    }
    // As restic and rclone do it: hardly a server but AWS's has a host name for each bucket.
    Optional<Boolean> pathStyle =
        uri.takeBoolean("path-style", "force-path-style", "use-path-style", "s3-force-path-style");
    if (pathStyle.orElse(endpoint.isPresent())) {
      sink = sink.pathStyle();
    }
    if (uri.takeBoolean("follow-region").orElse(false)) {
      sink = sink.followingRegion();
    }
    Optional<String> storageClass = uri.take("storage-class");
    if (storageClass.isPresent()) {
      sink = sink.storageClass(storageClass.get());
    }
    Optional<String> kmsKey = uri.take("kms-key", "sse-kms-key-id");
    if (kmsKey.isPresent()) {
      sink = sink.kmsKey(kmsKey.get());
    }
    Optional<S3Sink.Checksums> checksums = uri.takeOneOf(S3Sink.Checksums.class, "checksums");
    if (checksums.isPresent()) {
      sink = sink.checksums(checksums.get());
    }
    if (!uri.takeBoolean("conditional-create").orElse(true)) {
      sink = sink.withoutConditionalCreate();
    }
    uri.requireNoMore(
        "endpoint",
        "region",
        "follow-region",
        "path-style",
        "storage-class",
        "kms-key",
        "checksums",
        "conditional-create");
    return sink;
  }

  private static URI serverOnly(LocationUri uri, URI endpoint) throws BackupException.Refused {
    if (!endpoint.getRawPath().replace("/", "").isEmpty()) {
      throw uri.refused("has an endpoint with a path; hint: bucket and folder stand before the ?");
    }
    return endpoint;
  }

  private static S3Sink asked(S3Sink sink, StoreCredentials credentials, LocationUri uri)
      throws BackupException.Refused {
    return switch (credentials.kind()) {
      case KEY -> sink.credentials(new Once(credentials));
      case DEFAULT_CHAIN -> sink.defaultCredentials();
      case ANONYMOUS -> sink.credentials(AnonymousCredentialsProvider.create());
      case NONE, DOCUMENT ->
          throw uri.unfit(
              "S3 takes an access key and its secret, StoreCredentials.key(…), or on purpose"
                  + " .defaultChain()");
    };
  }

  /** The SDK asks at each request; whoever has the secret is asked once. */
  private static final class Once implements AwsCredentialsProvider {
    private final StoreCredentials credentials;
    private @Nullable AwsCredentials resolved;

    Once(StoreCredentials credentials) {
      this.credentials = credentials;
    }

    @Override
    public synchronized AwsCredentials resolveCredentials() {
      if (resolved == null) {
        try (Secret secret = credentials.secret().get()) {
          resolved = AwsBasicCredentials.create(credentials.id(), secret.use(String::valueOf));
        }
      }
      return resolved;
    }
  }
}
