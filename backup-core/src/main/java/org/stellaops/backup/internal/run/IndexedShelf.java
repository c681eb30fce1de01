package org.stellaops.backup.internal.run;

import java.io.IOException;
import org.stellaops.backup.internal.pipeline.PackShelf;
import org.stellaops.backup.internal.repository.ChunkIndex;
import org.stellaops.backup.spi.ObjectBody;

/** Stores the packs of one backup, and tells the chunk index their names. From any thread. */
final class IndexedShelf implements PackShelf {
  private final Attempt attempt;
  private final ChunkIndex index;
  private final RunProgress progress;
  private final int first;

  IndexedShelf(Attempt attempt, ChunkIndex index, RunProgress progress) {
    this.attempt = attempt;
    this.index = index;
    this.progress = progress;
    this.first = index.packCount();
  }

  @Override
  public int next() {
    return index.addPack();
  }

  @Override
  public void store(int pack, ObjectBody body) throws IOException {
    ObjectBody paced =
        attempt.instance().throttle().paced(body, time -> attempt.stopping().sleep(time));
    index.namePack(pack, attempt.store().putPack(attempt.writer(), paced));
    progress.stored(pack);
  }

  /** Ordinal of the first pack of this backup. */
  int first() {
    return first;
  }

  /** Whether this backup made no pack. */
  boolean isEmpty() {
    return index.packCount() == first;
  }
}
