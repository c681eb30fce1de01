package org.stellaops.backup.mongo.internal.restore;

import java.io.IOException;
import java.util.concurrent.Executor;

/**
 * Several batches on their way at once. One that is larger than others, for its only document is,
 * takes the room of as many as it weighs: what is in memory stays the same.
 */
final class Inserters implements AutoCloseable {
  private final Inserter inserter;
  private final int batchBytes;
  private final BoundedTasks tasks;

  Inserters(Inserter inserter, Executor executor, int parallelism, int batchBytes) {
    this.inserter = inserter;
    this.batchBytes = batchBytes;
    this.tasks = new BoundedTasks(executor, parallelism);
  }

  /** Batches of a capped collection go one after the other, for their order is kept. */
  void submit(Batch batch) throws IOException {
    if (batch.of().spec().isCapped()) {
      tasks.requireSound();
      inserter.insert(batch);
    } else {
      tasks.submit(1 + (batch.bytes() - 1) / batchBytes, () -> inserter.insert(batch));
    }
  }

  /** Waits for all of them; throws what the first that failed has thrown. */
  void await() throws IOException {
    tasks.await();
  }

  /** Waits for all of them, whatever became of them. */
  @Override
  public void close() {
    tasks.close();
  }
}
