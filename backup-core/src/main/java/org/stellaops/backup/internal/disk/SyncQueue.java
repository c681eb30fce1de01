package org.stellaops.backup.internal.disk;

import java.io.Closeable;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Makes many files durable at once. A journaling file system commits whoever waits together: with
 * four waiting it took a tenth of the time per file that one took. One thread gives files; at most
 * {@link #OPEN} are open.
 */
public final class SyncQueue implements Closeable {
  private static final int OPEN = 64;

  private final Executor executor;
  private final Semaphore free = new Semaphore(OPEN);
  private final AtomicReference<@Nullable IOException> failure = new AtomicReference<>();

  /** Waits for the disk on {@code executor}. */
  public SyncQueue(Executor executor) {
    this.executor = executor;
  }

  /** Takes a file whose bytes are written; it is closed when they are durable. */
  public void add(FileOutputStream file) throws IOException {
    add(file, () -> file.getFD().sync());
  }

  /** Takes a file or a directory; it is closed when it is durable. */
  public void add(FileChannel file) throws IOException {
    add(file, () -> file.force(true));
  }

  private interface Sync {
    void run() throws IOException;
  }

  private void add(Closeable file, Sync sync) throws IOException {
    free.acquireUninterruptibly();
    try {
      executor.execute(() -> sync(file, sync));
    } catch (RuntimeException e) {
      free.release();
      file.close();
      throw e;
    }
    requireNoFailure();
  }

  private void sync(Closeable file, Sync sync) {
    try (file) {
      sync.run();
    } catch (IOException e) {
      failure.compareAndSet(null, e);
    } finally {
      free.release();
    }
  }

  /** Waits until every file is durable, and fails if one is not. */
  public void finish() throws IOException {
    close();
    requireNoFailure();
  }

  private void requireNoFailure() throws IOException {
    IOException first = failure.get();
    if (first != null) {
      throw new IOException("not durable: " + first.getMessage(), first);
    }
  }

  /** Waits until every file is closed, whatever became of it. Idempotent. */
  @Override
  public void close() {
    free.acquireUninterruptibly(OPEN);
    free.release(OPEN);
  }
}
