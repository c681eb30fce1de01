package org.stellaops.backup.internal.pipeline;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.Finding;

/** The runs of an artifact, in order. One thread. */
public interface RunSequence extends Closeable {
  /** The next run; empty after the last. */
  Optional<StoredRun> next() throws IOException;

  /**
   * The artifact they make up is not what it should be although each could be read: which of the
   * objects that hold them are not as they were stored?
   */
  default List<Finding> damaged() throws IOException {
    return List.of();
  }

  @Override
  default void close() throws IOException {}
}
