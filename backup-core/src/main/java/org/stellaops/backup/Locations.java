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
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.LocationProvider;
import org.stellaops.backup.spi.ObjectLocation;
import org.stellaops.backup.spi.StoreCredentials;
import org.stellaops.backup.store.LocationUri;

/**
 * Locations by their URIs, for whoever has nothing but one: a runbook, a command line. Nothing is
 * guessed: {@code file:} is a directory, and whatever else is asked of the providers that are
 * given, and then of those that the modules for storage bring: {@code s3:}, {@code azure:}, {@code
 * gs:}. Credentials are never in a URI. What may be one is in no message either.
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
   * @param providers asked in this order, before those that are installed
   * @throws BackupException.Refused UNKNOWN_LOCATION if nobody knows it, or it is not absolute;
   *     LOCATION_REFUSED if it is of a known kind and means nothing there; SECRET_IN_LOCATION if
   *     user information or something that looks like a secret is in it; CREDENTIALS_UNFIT if its
   *     kind of store takes others than these
   */
  public static ObjectLocation of(
      URI uri, StoreCredentials credentials, LocationProvider... providers) throws BackupException {
    LocationUri.requireNoSecret(uri);
    if (!uri.isAbsolute()) {
      throw unknown("a location is a URI with a scheme, such as file:///var/backups");
    }
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

  private static ObjectLocation located(
      URI uri, StoreCredentials credentials, LocationProvider... given) throws IOException {
    List<LocationProvider> providers = new ArrayList<>(List.of(given));
    if (!uri.getScheme().toLowerCase(Locale.ROOT).equals("file")) {
      providers.addAll(installed());
    }
    for (LocationProvider provider : providers) {
      Optional<ObjectLocation> location = provider.locate(uri, credentials);
      if (location.isPresent()) {
        return location.get();
      }
    }
    return directory(uri);
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

  private static ObjectLocation directory(URI uri) throws BackupException {
    if (!uri.getScheme().toLowerCase(Locale.ROOT).equals("file")) {
      throw unknown(
          "no provider knows URIs of scheme %s; hint: is the module for this kind of store there?"
              .formatted(uri.getScheme()));
    }
    try {
      return DirectorySink.at(Path.of(uri));
    } catch (IllegalArgumentException e) {
      throw unknown("a file: URI that is no path: " + e.getMessage());
    }
  }

  private static BackupException.Refused unknown(String why) {
    return new BackupException.Refused(CoreFailure.UNKNOWN_LOCATION, why);
  }
}
