package org.stellaops.backup;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import org.stellaops.backup.bundle.HandMadeBackup;
import org.stellaops.backup.bundle.OfflineBundle;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.LocationProvider;
import org.stellaops.backup.spi.ObjectLocation;
import org.stellaops.backup.spi.StoreCredentials;
import org.stellaops.backup.store.LocationUri;

/**
 * Locations by their URIs, for whoever has nothing but one: a runbook, a command line. Nothing is
 * guessed: {@code file:} is a directory, or an offline bundle where it is a file, and whatever else
 * is asked of the providers that are given, and then of those that the modules for storage bring:
 * {@code s3:}, {@code azure:}, {@code gs:}. Credentials are never in a URI. What may be one is in
 * no message either.
 */
public final class Locations {
  private Locations() {}

  /**
   * The location that a URI means, where no credentials are needed.
   *
   * @param providers asked in this order, before those that are installed
   * @throws BackupException.Refused as {@link #of(URI, StoreCredentials, LocationProvider...)}
   */
  public static ObjectLocation of(URI uri, LocationProvider... providers) throws BackupException {
    return of(uri, StoreCredentials.none(), providers);
  }

  /**
   * The location that a URI means. Asks no store.
   *
   * @param credentials who asks; the environment is looked into only with {@link
   *     StoreCredentials#defaultChain}
   * @param providers asked in this order, before those that are installed; then {@code file:} is
   *     taken for a directory, or for an {@link OfflineBundle} if there is a file of this name, or
   *     its first volume
   * @throws BackupException.Refused UNKNOWN_LOCATION if nobody knows it, or it is not absolute;
   *     LOCATION_REFUSED if it is of a known kind and means nothing there; SECRET_IN_LOCATION if
   *     user information or something that looks like a secret is in it; CREDENTIALS_UNFIT if its
   *     kind of store takes others than these
   */
  public static ObjectLocation of(
      URI uri, StoreCredentials credentials, LocationProvider... providers) throws BackupException {
    requireUsable(uri);
    return BackupRepository.translated(
        "locate a URI of scheme " + uri.getScheme(), () -> located(uri, credentials, providers));
  }

  /**
   * The sink that a URI means: what {@link #of(URI, StoreCredentials, LocationProvider...)} gives,
   * where that can be written to.
   *
   * @throws BackupException.Refused also LOCATION_REFUSED if it can only be read
   */
  public static BackupSink sink(
      URI uri, StoreCredentials credentials, LocationProvider... providers) throws BackupException {
    ObjectLocation location = of(uri, credentials, providers);
    if (location instanceof BackupSink sink) {
      return sink;
    }
    throw new BackupException.Refused(
        CoreFailure.LOCATION_REFUSED, location.describe() + " can only be read");
  }

  /**
   * The tarball that a URI means, where no credentials are needed.
   *
   * @throws BackupException.Refused as {@link #tarball(URI, StoreCredentials, LocationProvider...)}
   */
  public static HandMadeBackup tarball(URI uri, LocationProvider... providers)
      throws BackupException {
    return tarball(uri, StoreCredentials.none(), providers);
  }

  /**
   * The tarball that a URI means, such as {@code s3://bucket/latest-full.tar.gz}: a file, or an
   * object of the location that is left without the last segment of the path. That it is one, its
   * first bytes say when it is read; nothing is read here.
   *
   * @param credentials as of {@link #of(URI, StoreCredentials, LocationProvider...)}
   * @param providers as of {@link #of(URI, StoreCredentials, LocationProvider...)}
   * @throws BackupException.Refused as {@link #of(URI, StoreCredentials, LocationProvider...)}, or
   *     UNKNOWN_LOCATION if it names no object
   */
  public static HandMadeBackup tarball(
      URI uri, StoreCredentials credentials, LocationProvider... providers) throws BackupException {
    requireUsable(uri);
    return BackupRepository.translated(
        "locate a URI of scheme " + uri.getScheme(), () -> tarballAt(uri, credentials, providers));
  }

  private static HandMadeBackup tarballAt(
      URI uri, StoreCredentials credentials, LocationProvider... providers) throws IOException {
    String path = uri.getPath();
    if (path == null || path.isEmpty() || path.endsWith("/")) {
      throw unknown("the URI names no file or object");
    }
    if (isFile(uri)) {
      return HandMadeBackup.at(path(uri));
    }
    String raw = uri.getRawPath();
    String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
    URI parent =
        URI.create(
            "%s://%s%s%s"
                .formatted(
                    uri.getScheme(),
                    uri.getRawAuthority() == null ? "" : uri.getRawAuthority(),
                    raw.substring(0, raw.lastIndexOf('/') + 1),
                    query));
    String name = path.substring(path.lastIndexOf('/') + 1);
    return HandMadeBackup.at(located(parent, credentials, providers), ObjectName.of(name));
  }

  private static void requireUsable(URI uri) throws BackupException {
    LocationUri.requireNoSecret(uri);
    if (!uri.isAbsolute()) {
      throw unknown("a location is a URI with a scheme, such as file:///var/backups");
    }
  }

  private static ObjectLocation located(
      URI uri, StoreCredentials credentials, LocationProvider... given) throws IOException {
    List<LocationProvider> providers = new ArrayList<>(List.of(given));
    if (!isFile(uri)) {
      providers.addAll(installed());
    }
    for (LocationProvider provider : providers) {
      Optional<ObjectLocation> location = provider.locate(uri, credentials);
      if (location.isPresent()) {
        return location.get();
      }
    }
    if (!isFile(uri)) {
      throw unknown(
          "no provider knows URIs of scheme %s; hint: is the module for this kind of store there?"
              .formatted(uri.getScheme()));
    }
    return file(uri);
  }

  private static List<LocationProvider> installed() throws BackupException {
    try {
      return ServiceLoader.load(LocationProvider.class).stream()
          .map(ServiceLoader.Provider::get)
          .toList();
    } catch (ServiceConfigurationError e) {
      throw unknown("a provider of locations that is installed cannot be loaded: " + e);
    }
  }

  private static ObjectLocation file(URI uri) throws IOException {
    Path path = path(uri);
    return OfflineBundle.isFileAt(path) ? OfflineBundle.at(path) : DirectorySink.at(path);
  }

  private static boolean isFile(URI uri) {
    return uri.getScheme().toLowerCase(Locale.ROOT).equals("file");
  }

  private static Path path(URI uri) throws BackupException.Refused {
    try {
      return Path.of(uri);
    } catch (IllegalArgumentException e) {
      throw unknown("a file: URI that is no path: " + e.getMessage());
    }
  }

  private static BackupException.Refused unknown(String why) {
    return new BackupException.Refused(CoreFailure.UNKNOWN_LOCATION, why);
  }
}
