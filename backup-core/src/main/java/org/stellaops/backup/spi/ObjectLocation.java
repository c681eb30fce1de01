package org.stellaops.backup.spi;

import java.io.IOException;

/**
 * Where objects can be read: a directory, a bucket, a bundle. A value; whoever opens the store
 * closes it.
 */
public interface ObjectLocation {
  /** A URI or path for humans, without credentials. */
  String describe();

  /** Opens it for reading. Creates nothing. */
  ReadableStore open(StoreContext context) throws IOException;
}
