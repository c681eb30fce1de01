package org.stellaops.backup.spi;

import java.io.IOException;

/** Where a writer's keys are: a value that stands in a plan. The engine opens and closes. */
public interface WriterKeyring {
  /** Loads the keys, or makes them where this is the first time. */
  WriterKeys open() throws IOException;
}
