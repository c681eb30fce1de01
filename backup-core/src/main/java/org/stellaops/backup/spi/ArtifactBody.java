package org.stellaops.backup.spi;

import java.io.IOException;

/** Writes the plain bytes of one artifact. */
@FunctionalInterface
public interface ArtifactBody {
  /** Writes everything, once. Does not close {@code out}. */
  void writeTo(ArtifactOutput out) throws IOException;
}
