package org.stellaops.backup.internal.pipeline;

import java.util.Optional;
import org.stellaops.backup.model.BackupException;

/** What the writer has stored before. {@link #find} from any thread; {@link #add} from one. */
public interface KnownChunks {
  /** Where the chunk is, if its pack is known to be there. */
  Optional<ChunkPlace> find(ChunkId id);

  /**
   * A chunk was given a place.
   *
   * @throws BackupException.Refused TOO_LARGE if no more can be known
   */
  void add(ChunkId id, ChunkPlace place) throws BackupException.Refused;
}
