package org.stellaops.backup.postgres.internal.restore;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.security.MessageDigest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.stellaops.backup.model.Digest;

/**
 * What is done with a file beside the thread that writes it: hashing it, and bringing it to the
 * disk before all of it is written. Closing it waits for both.
 */
final class Beside implements AutoCloseable {
  /** Far more than a disk writes at once, far less than a system keeps in memory. */
  private static final long SYNC_BYTES = 64 << 20;

  private final FileChannel channel;
  private final Executor executor;
  private final byte[] hashed;
  private final MessageDigest digest = Digest.sha256();
  private CompletableFuture<Void> hashing = CompletableFuture.completedFuture(null);
  private CompletableFuture<Void> syncing = CompletableFuture.completedFuture(null);
  private long unsyncedBytes;

  /**
   * For one file.
   *
   * @param hashed holds a stretch while it is hashed; used by nobody else until this is closed
   */
  Beside(FileChannel channel, Executor executor, byte[] hashed) {
    this.channel = channel;
    this.executor = executor;
    this.hashed = hashed;
  }

  /** Hashes the next bytes, of which it keeps a copy. */
  void hash(byte[] bytes, int length) throws IOException {
    await(hashing);
    System.arraycopy(bytes, 0, hashed, 0, length);
    hashing = CompletableFuture.runAsync(() -> digest.update(hashed, 0, length), executor);
  }

  /** Says that bytes were written. */
  void written(int bytes) throws IOException {
    unsyncedBytes += bytes;
    if (unsyncedBytes >= SYNC_BYTES && syncing.isDone()) {
      await(syncing);
      unsyncedBytes = 0;
      syncing = CompletableFuture.runAsync(this::sync, executor);
    }
  }

  /** The digest of all that was hashed. */
  Digest digest() throws IOException {
    await(hashing);
    return Digest.of(digest.digest());
  }

  @Override
  public void close() throws IOException {
    try {
      await(hashing);
    } finally {
      await(syncing);
    }
  }

  private void sync() {
    try {
      channel.force(false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void await(CompletableFuture<Void> task) throws IOException {
    try {
      task.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof UncheckedIOException failed) {
        throw failed.getCause();
      }
      throw e;
    }
  }
}
