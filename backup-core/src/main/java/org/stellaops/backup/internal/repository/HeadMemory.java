package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.internal.disk.ScratchFolder;
import org.stellaops.backup.internal.repository.LogView.Head;

/** Heads of logs that were seen, so that a store cannot go backwards unnoticed. From any thread. */
public interface HeadMemory {
  /** The newest head that was seen of this log of this repository. */
  Optional<Head> recall(String repository, String log) throws IOException;

  /** Where whatever else of this repository may be kept that can be had again; made when needed. */
  default Optional<Path> cache(String repository) {
    return Optional.empty();
  }

  /** Where goes what does not fit memory. */
  default ScratchFolder scratch() {
    return ScratchFolder.temporary();
  }

  /** The logs of this repository of which a head was seen. */
  Set<String> logs(String repository) throws IOException;

  /** A head was seen. */
  void remember(String repository, String log, Head head) throws IOException;
}
