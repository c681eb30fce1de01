package org.stellaops.backup.internal.pipeline;

import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;

/** The runs of an artifact, in order. One thread. */
public interface RunSequence extends Closeable {
  /** The next run; empty after the last. */
  Optional<StoredRun> next() throws IOException;

  @Override
  default void close() throws IOException {}
}
