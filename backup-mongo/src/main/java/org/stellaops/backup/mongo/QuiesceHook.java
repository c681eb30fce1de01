package org.stellaops.backup.mongo;

import java.io.Closeable;
import java.io.IOException;

/** How an application holds back its writes while its database is captured. */
@FunctionalInterface
public interface QuiesceHook {
  /**
   * Returns when nothing of the application writes any more, and everything it wrote is
   * acknowledged. Called by the thread that captures, at most once for each capture.
   *
   * @return lets the application go on; closed once, in all cases, as soon as the database is read
   * @throws IOException if the application cannot pause; the capture fails with it
   */
  Closeable quiesce() throws IOException;
}
