package org.stellaops.backup.mongo.internal.oplog;

import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.bson.BsonTimestamp;

/**
 * How an oplog is replayed. A value; every setting returns another one.
 *
 * @param selection what is replayed, and where it goes
 * @param target where it ends
 * @param after what is in the base already: entries up to here are not replayed, but transactions
 *     that were begun there are, if they were committed later
 * @param tolerantUntil up to here the base may be newer than an entry, so that a document that is
 *     to be changed may be gone; behind it that is a failure
 * @param resumeAfter what an earlier attempt has replayed: nothing is written up to here
 * @param threads how many parts of a batch are written at once
 * @param executor where they are written; may run a task at once
 * @param mostOpenBytes of transactions whose end has not been met
 * @param journal is told how far it is
 */
public record ReplaySettings(
    OplogSelection selection,
    ReplayTarget target,
    BsonTimestamp after,
    BsonTimestamp tolerantUntil,
    BsonTimestamp resumeAfter,
    int threads,
    Executor executor,
    long mostOpenBytes,
    ReplayJournal journal) {
  private static final BsonTimestamp NOTHING = new BsonTimestamp(0, 0);
  private static final long MOST_OPEN_BYTES = 256L << 20;

  public ReplaySettings {
    if (threads < 1) {
      throw new IllegalArgumentException(threads + " threads, expected 1 or more");
    }
  }

  /** Everything of a selection up to a target, by one thread. */
  public static ReplaySettings of(OplogSelection selection, ReplayTarget target) {
    return new ReplaySettings(
        selection, target, NOTHING, NOTHING, NOTHING, 1, Runnable::run, MOST_OPEN_BYTES, ts -> {});
  }

  /** On a base that was read at one moment. */
  public ReplaySettings after(BsonTimestamp snapshot) {
    return new ReplaySettings(
        selection,
        target,
        snapshot,
        tolerantUntil,
        resumeAfter,
        threads,
        executor,
        mostOpenBytes,
        journal);
  }

  /** On a base that was read while it changed, up to a moment. */
  public ReplaySettings tolerantUntil(BsonTimestamp end) {
    return new ReplaySettings(
        selection, target, after, end, resumeAfter, threads, executor, mostOpenBytes, journal);
  }

  /** Behind what an earlier attempt has replayed. */
  public ReplaySettings resumeAfter(BsonTimestamp last) {
    return new ReplaySettings(
        selection, target, after, tolerantUntil, last, threads, executor, mostOpenBytes, journal);
  }

  /** By several threads. */
  public ReplaySettings parallel(int newThreads, Executor newExecutor) {
    return new ReplaySettings(
        selection,
        target,
        after,
        tolerantUntil,
        resumeAfter,
        newThreads,
        newExecutor,
        mostOpenBytes,
        journal);
  }

  /** With another bound for transactions whose end has not been met. */
  public ReplaySettings mostOpenBytes(long bytes) {
    return new ReplaySettings(
        selection, target, after, tolerantUntil, resumeAfter, threads, executor, bytes, journal);
  }

  /** Tells how far it is: the place up to which everything is in the target. */
  public ReplaySettings telling(Consumer<BsonTimestamp> told) {
    return journal(told::accept);
  }

  /** Tells how far it is. */
  public ReplaySettings journal(ReplayJournal told) {
    return new ReplaySettings(
        selection,
        target,
        after,
        tolerantUntil,
        resumeAfter,
        threads,
        executor,
        mostOpenBytes,
        told);
  }
}
