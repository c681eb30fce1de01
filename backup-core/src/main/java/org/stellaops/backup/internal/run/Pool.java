package org.stellaops.backup.internal.run;

import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** The engine's own threads: few, named, and gone when it is closed. */
public final class Pool implements Executor, AutoCloseable {
  private final ExecutorService threads;

  private Pool(ExecutorService threads) {
    this.threads = threads;
  }

  /** So many threads, made when they are needed. */
  public static Pool of(int parallelism) {
    AtomicInteger number = new AtomicInteger();
    return new Pool(
        Executors.newFixedThreadPool(
            parallelism,
            work -> {
              Thread thread = new Thread(work, "stella-backup-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            }));
  }

  @Override
  public void execute(Runnable work) {
    threads.execute(work);
  }

  /** Lets what runs come to its end, and starts nothing more. */
  @Override
  public void close() {
    threads.shutdown();
  }
}
