package org.stellaops.backup.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs tasks side by side, all of them, whatever some come to. */
final class AtOnce {
  /** As many as the machines have cores on which this is run most. */
  private static final int THREADS = 2;

  private AtOnce() {}

  /**
   * What they returned, in their order.
   *
   * @throws AssertionError if any failed, with all failures
   */
  static <T> List<T> results(List<Callable<T>> tasks) throws InterruptedException {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<T> results = new ArrayList<>();
      List<Throwable> failures = new ArrayList<>();
      for (Future<T> result : threads.invokeAll(tasks)) {
        try {
          results.add(result.get());
        } catch (ExecutionException e) {
          failures.add(e.getCause());
        }
      }
      throwAll(failures);
      return results;
    } finally {
      threads.shutdown();
    }
  }

  private static void throwAll(List<Throwable> failures) {
    if (!failures.isEmpty()) {
      AssertionError all =
          new AssertionError(failures.stream().map(Throwable::getMessage).toList().toString());
      failures.forEach(all::addSuppressed);
      throw all;
    }
  }
}
