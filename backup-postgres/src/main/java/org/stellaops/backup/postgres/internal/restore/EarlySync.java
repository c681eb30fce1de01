package org.stellaops.backup.postgres.internal.restore;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Brings a long file to the disk while it is still written, so that not all of it is left for the
 * end. Closing it waits until that is done; a short file costs nothing.
 */
final class EarlySync implements AutoCloseable {
  /** Far more than a disk writes at once, far less than a system keeps in memory. */
  private static final long BYTES = 32 << 20;

  private final FileChannel channel;
  private final Executor executor;
  private @Nullable CompletableFuture<Void> syncing;
  private long unsyncedBytes;

  /** For one file, which stays the caller's. */
  EarlySync(FileChannel channel, Executor executor) {
    this.channel = channel;
    this.executor = executor;
  }

  /** Says that bytes were written. */
  void written(int bytes) throws IOException {
    unsyncedBytes += bytes;
    if (unsyncedBytes >= BYTES && (syncing == null || syncing.isDone())) {
      close();
      unsyncedBytes = 0;
      syncing = CompletableFuture.runAsync(this::sync, executor);
    }
  }

  @Override
  public void close() throws IOException {
    CompletableFuture<Void> last = syncing;
    syncing = null;
    try {
      if (last != null) {
        last.join();
      }
    } catch (CompletionException e) {
      if (e.getCause() instanceof UncheckedIOException failed) {
        throw failed.getCause();
      }
      throw e;
    }
  }

  private void sync() {
    try {
      channel.force(false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
