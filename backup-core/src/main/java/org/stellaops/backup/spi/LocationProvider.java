package org.stellaops.backup.spi;

import java.io.IOException;
import java.net.URI;
import java.util.Optional;

/**
 * Makes locations of the URIs that it knows: of one scheme, or one kind of store. Does no I/O with
 * the store. Those that a module brings are found by {@link java.util.ServiceLoader}, and have a
 * public constructor without parameters. From any thread.
 */
@FunctionalInterface
public interface LocationProvider {
  /**
   * The location that a URI means. Nothing of a query is repeated in messages: somebody may have
   * taken it for a place for secrets.
   *
   * @param uri absolute, and without user information
   * @param credentials who asks; a location that needs others than these is refused
   * @return empty if it is of another kind
   * @throws org.stellaops.backup.model.BackupException.Refused LOCATION_REFUSED,
   *     SECRET_IN_LOCATION, CREDENTIALS_UNFIT if it is of this kind and means nothing
   */
  Optional<ObjectLocation> locate(URI uri, StoreCredentials credentials) throws IOException;
}
