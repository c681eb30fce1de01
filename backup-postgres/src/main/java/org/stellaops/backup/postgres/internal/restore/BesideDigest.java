package org.stellaops.backup.postgres.internal.restore;

import java.security.MessageDigest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.stellaops.backup.model.Digest;

/**
 * The digests of one content after another, computed beside the thread that hands the bytes out: it
 * writes the next ones meanwhile. One thread uses it. Closing it waits for the last task.
 */
final class BesideDigest implements AutoCloseable {
  private static final int BYTES = 1 << 20;

  private final Executor executor;
  private final MessageDigest digest = Digest.sha256();
  private byte[] filling = new byte[BYTES];
  private byte[] hashed = new byte[BYTES];
  private int filledBytes;
  private CompletableFuture<Void> hashing = CompletableFuture.completedFuture(null);

  /** For one restore. */
  BesideDigest(Executor executor) {
    this.executor = executor;
  }

  /** Begins another content, whatever became of the one before. */
  void reset() {
    hashing.join();
    digest.reset();
    filledBytes = 0;
  }

  /** The next bytes, of which it keeps a copy. */
  void update(byte[] bytes, int offset, int length) {
    for (int taken = 0; taken < length; ) {
      int n = Math.min(length - taken, BYTES - filledBytes);
      System.arraycopy(bytes, offset + taken, filling, filledBytes, n);
      filledBytes += n;
      taken += n;
      if (filledBytes == BYTES) {
        hashFilled();
      }
    }
  }

  /** The digest of all that came since the {@link #reset}. */
  Digest digest() {
    hashing.join();
    digest.update(filling, 0, filledBytes);
    filledBytes = 0;
    return Digest.of(digest.digest());
  }

  @Override
  public void close() {
    hashing.join();
  }

  private void hashFilled() {
    hashing.join();
    byte[] full = filling;
    filling = hashed;
    hashed = full;
    filledBytes = 0;
    hashing = CompletableFuture.runAsync(() -> digest.update(full), executor);
  }
}
