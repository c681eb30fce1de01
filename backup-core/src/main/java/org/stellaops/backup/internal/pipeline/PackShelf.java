package org.stellaops.backup.internal.pipeline;

import java.io.IOException;
import org.stellaops.backup.spi.ObjectBody;

/** Takes sealed packs. */
public interface PackShelf {
  /** Ordinal of the next pack; called by one thread, in the order of creation. */
  int next();

  /** Makes a pack durable. From any thread. The body is valid during the call only. */
  void store(int pack, ObjectBody body) throws IOException;
}
