package org.stellaops.backup.internal.run;

import java.io.IOException;
import org.stellaops.backup.internal.pipeline.PackShelf;
import org.stellaops.backup.internal.repository.ChunkIndex;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.spi.ObjectBody;

/** Stores the packs of one backup, and tells the chunk index their names. From any thread. */
final class IndexedShelf implements PackShelf {
  private final StoreAccess store;
  private final String writer;
  private final ChunkIndex index;
  private final int first;

  IndexedShelf(StoreAccess store, String writer, ChunkIndex index) {
    this.store = store;
    this.writer = writer;
    this.index = index;
    this.first = index.packCount();
  }

  @Override
  public int next() {
    return index.addPack();
  }

  @Override
  public void store(int pack, ObjectBody body) throws IOException {
    index.namePack(pack, store.putPack(writer, body));
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
