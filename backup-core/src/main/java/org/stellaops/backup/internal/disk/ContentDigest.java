package org.stellaops.backup.internal.disk;

import java.io.Closeable;
import java.security.MessageDigest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.stellaops.backup.model.Digest;

/**
 * SHA-256 of files, computed beside whoever reads and writes them: while one buffer is hashed and
 * written, the other is filled. Where nobody has begun to hash a buffer by the time it is needed,
 * it is hashed here, so that a busy executor delays nothing. One thread; for file after file.
 */
public final class ContentDigest implements Closeable {
  private static final int BUFFER_BYTES = 128 << 10;

  /** Fewer are hashed sooner than they are handed over. */
  private static final int WORTH_A_TASK_BYTES = 32 << 10;

  private final Executor executor;
  private final MessageDigest digest = Digest.sha256();
  private byte[] free = new byte[BUFFER_BYTES];
  private byte[] taken = new byte[BUFFER_BYTES];
  private Part hashing = new Part(free, 0);

  /** Hashes on {@code executor}. */
  public ContentDigest(Executor executor) {
    this.executor = executor;
  }

  /** The buffer to fill next. */
  public byte[] buffer() {
    return free;
  }

  /** Hashes the first bytes of {@link #buffer}, which may be read, and not changed, meanwhile. */
  public void hash(int length) {
    byte[] filled = free;
    hash(filled, length);
    free = taken;
    taken = filled;
  }

  /** Hashes bytes that nobody changes until {@link #end}. */
  public void hash(byte[] bytes, int length) {
    hashing.finish();
    hashing = new Part(bytes, length);
    if (length >= WORTH_A_TASK_BYTES) {
      executor.execute(hashing);
    }
  }

  /** The digest of all bytes since the last one. */
  public Digest end() {
    hashing.finish();
    return Digest.of(digest.digest());
  }

  /** Waits until nothing is hashed any more. */
  @Override
  public void close() {
    hashing.finish();
    digest.reset();
  }

  /** Hashed once, by whoever comes first. */
  private final class Part implements Runnable {
    private final byte[] bytes;
    private final int length;
    private final AtomicBoolean isBegun = new AtomicBoolean();
    private final CompletableFuture<Void> done = new CompletableFuture<>();

    Part(byte[] bytes, int length) {
      this.bytes = bytes;
      this.length = length;
    }

    @Override
    public void run() {
      if (!isBegun.getAndSet(true)) {
        digest.update(bytes, 0, length);
        done.complete(null);
      }
    }

    void finish() {
      run();
      done.join();
    }
  }
}
