package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import software.amazon.awssdk.services.s3.model.CompletedPart;

/** Parts of one upload under way: no more at once than there is memory for; the first failure. */
final class S3Parts {
  private final Executor executor;
  private final int places;
  private final Semaphore free;
  private final List<CompletedPart> done = new CopyOnWriteArrayList<>();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  S3Parts(Executor executor, int places) {
    this.executor = executor;
    this.places = places;
    free = new Semaphore(places);
  }

  /**
   * Waits until there is memory for one more part, has it prepared, and sends it.
   *
   * @throws IOException what preparing failed with, or a part before
   */
  void add(Preparing preparing) throws IOException {
    acquire();
    boolean isHandedOver = false;
    try {
      throwFailure();
      Sending part = preparing.prepare();
      executor.execute(() -> run(part));
      isHandedOver = true;
    } finally {
      if (!isHandedOver) {
        free.release();
      }
    }
  }

  private void acquire() throws BackupException.Stopped {
    try {
      free.acquire();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BackupException.Stopped(CoreFailure.CANCELLED, "interrupted within an upload");
    }
  }

  private void run(Sending part) {
    try {
      done.add(part.send());
    } catch (IOException | RuntimeException | Error e) {
      failure.compareAndSet(null, e);
    } finally {
      free.release();
    }
  }

  /** Waits until nothing is under way, so that an abort finds all parts. */
  void awaitAll() {
    free.acquireUninterruptibly(places);
    free.release(places);
  }

  /** All parts in order, if none failed. */
  List<CompletedPart> done() throws IOException {
    throwFailure();
    return done.stream().sorted(Comparator.comparing(CompletedPart::partNumber)).toList();
  }

  private void throwFailure() throws IOException {
    Throwable first = failure.get();
    if (first instanceof IOException io) {
      throw io;
    }
    if (first instanceof RuntimeException bug) {
      throw bug;
    }
    if (first instanceof Error error) {
      throw error;
    }
  }

  /** Reads a part into memory. */
  @FunctionalInterface
  interface Preparing {
    Sending prepare() throws IOException;
  }

  /** One part's way. */
  @FunctionalInterface
  interface Sending {
    CompletedPart send() throws IOException;
  }
}
