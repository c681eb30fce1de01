package org.stellaops.backup;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.LocationProvider;
import org.stellaops.backup.spi.ObjectLocation;

/**
 * Locations by their URIs, for whoever has nothing but one: a runbook, a command line. Nothing is
 * guessed: {@code file:} is a directory, and whatever else is asked of the providers that are
 * given.
 */
public final class Locations {
  private Locations() {}

  /**
   * The location that a URI means.
   *
   * @param providers asked in this order, before {@code file:} is taken for a directory
   * @throws BackupException.Refused UNKNOWN_LOCATION if nobody knows it, it is not absolute, or
   *     carries user information: credentials belong into no URI
   */
  public static ObjectLocation of(URI uri, LocationProvider... providers) throws BackupException {
    if (!uri.isAbsolute()) {
      throw unknown("a location is a URI with a scheme, such as file:///var/backups; found " + uri);
    }
    if (uri.getRawUserInfo() != null) {
      throw unknown("the %s: URI carries user information".formatted(uri.getScheme()));
    }
    return BackupRepository.translated("locate " + uri, () -> located(uri, providers));
  }

  private static ObjectLocation located(URI uri, LocationProvider... providers) throws IOException {
    for (LocationProvider provider : providers) {
      Optional<ObjectLocation> location = provider.locate(uri);
      if (location.isPresent()) {
        return location.get();
      }
    }
    if (!uri.getScheme().toLowerCase(Locale.ROOT).equals("file")) {
      throw unknown("no provider knows %s".formatted(uri));
    }
    try {
      return DirectorySink.at(Path.of(uri));
    } catch (IllegalArgumentException e) {
      throw unknown("%s is no path: %s".formatted(uri, e.getMessage()));
    }
  }

  private static BackupException.Refused unknown(String why) {
    return new BackupException.Refused(CoreFailure.UNKNOWN_LOCATION, why);
  }
}
