package org.stellaops.backup.spi;

import java.io.IOException;
import java.net.URI;
import java.util.Optional;

/**
 * Makes locations of the URIs that it knows: of one scheme, or one provider of stores. Does no I/O
 * with the store; whatever credentials it needs it was made with. From any thread.
 */
@FunctionalInterface
public interface LocationProvider {
  /**
   * The location that a URI means.
   *
   * @param uri absolute, and without user information
   * @return empty if it is of another kind
   * @throws org.stellaops.backup.model.BackupException.Refused if it is of this kind and means
   *     nothing
   */
  Optional<ObjectLocation> locate(URI uri) throws IOException;
}
