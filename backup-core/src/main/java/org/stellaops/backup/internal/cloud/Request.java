package org.stellaops.backup.internal.cloud;

import java.io.IOException;

/** Something that is asked of a store. */
@FunctionalInterface
public interface Request<T> {
  /** Asks, and waits for the answer. */
  T send() throws IOException;
}
