package org.stellaops.backup.crypto.internal.age;

import java.util.concurrent.Executor;

/**
 * How many segments are worked on at once, and by whom. This bounds the memory of a stream: {@code
 * batches * segmentsPerBatch} segments, plain and sealed.
 *
 * @param executor may do the work; the caller does what nobody has begun when its turn comes, so
 *     that an executor that is busy, full or shut down costs speed and nothing else
 * @param batches held at once
 * @param segmentsPerBatch handed over at once
 */
public record Lanes(Executor executor, int batches, int segmentsPerBatch) {
  /** Everything in the calling thread, one segment at a time. */
  public static final Lanes CALLER = new Lanes(task -> {}, 1, 1);

  /** 512 KiB: well above the cost of a hand-over, and small enough for a cache. */
  private static final int SEGMENTS_PER_BATCH = 8;

  /** Batches for so many threads, the caller's among them: one each, and one to fill meanwhile. */
  public static Lanes of(Executor executor, int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1: " + threads);
    }
    return threads == 1 ? CALLER : new Lanes(executor, 2 * threads, SEGMENTS_PER_BATCH);
  }
}
