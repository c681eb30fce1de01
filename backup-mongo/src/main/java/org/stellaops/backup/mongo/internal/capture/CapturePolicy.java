package org.stellaops.backup.mongo.internal.capture;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.mongo.Consistency;
import org.stellaops.backup.mongo.QuiesceHook;

/**
 * How a database is to be captured.
 *
 * @param required what has to be reached; null where whatever can be had will do
 * @param quiesce the application's way to hold back its writes
 * @param lockAtMost how long the server may be locked; null where it may not be
 * @param parallelism how many collections are read at a time
 * @param batchBytes what a reply should come to
 * @param splitBytes collections of more than this may be read in several places at a time
 * @param hasUsers whether the database's users and roles come along
 */
public record CapturePolicy(
    @Nullable Consistency required,
    @Nullable QuiesceHook quiesce,
    @Nullable Duration lockAtMost,
    int parallelism,
    int batchBytes,
    long splitBytes,
    boolean hasUsers) {
  /** Large enough to be worth the way, small enough to keep a few. */
  private static final int BATCH_BYTES = 8 << 20;

  private static final int MAX_DEFAULT_PARALLELISM = 4;
  private static final long SPLIT_BYTES = 256L << 20;

  /** The best that can be had without anybody's help. */
  public static CapturePolicy standard() {
    int cores = Runtime.getRuntime().availableProcessors();
    return new CapturePolicy(
        null,
        null,
        null,
        Math.min(MAX_DEFAULT_PARALLELISM, cores),
        BATCH_BYTES,
        SPLIT_BYTES,
        false);
  }

  /** The same, with something that has to be reached. */
  public CapturePolicy requiring(Consistency level) {
    return new CapturePolicy(
        level, quiesce, lockAtMost, parallelism, batchBytes, splitBytes, hasUsers);
  }

  /** The same, with a hook. */
  public CapturePolicy quiescing(QuiesceHook hook) {
    return new CapturePolicy(
        required, hook, lockAtMost, parallelism, batchBytes, splitBytes, hasUsers);
  }

  /** The same, with a lock. */
  public CapturePolicy locking(Duration atMost) {
    return new CapturePolicy(
        required, quiesce, atMost, parallelism, batchBytes, splitBytes, hasUsers);
  }

  /** The same, reading so many collections at a time. */
  public CapturePolicy reading(int collections) {
    return new CapturePolicy(
        required, quiesce, lockAtMost, collections, batchBytes, splitBytes, hasUsers);
  }

  /** The same with other sizes. */
  public CapturePolicy sized(int batch, long split) {
    return new CapturePolicy(required, quiesce, lockAtMost, parallelism, batch, split, hasUsers);
  }

  /** The same, with users and roles. */
  public CapturePolicy withUsers() {
    return new CapturePolicy(
        required, quiesce, lockAtMost, parallelism, batchBytes, splitBytes, true);
  }

  boolean allows(Consistency level) {
    return required == null || level.compareTo(required) >= 0;
  }

  /** Whether somebody said that {@link Consistency#NONE} will do. */
  boolean isNoneAccepted() {
    return required == Consistency.NONE;
  }
}
