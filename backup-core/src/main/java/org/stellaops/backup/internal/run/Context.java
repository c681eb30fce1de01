package org.stellaops.backup.internal.run;

import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;

/**
 * What every use case works with.
 *
 * @param clock the engine's
 * @param threads where work runs
 * @param parallelism how many tasks that compute are given at once
 * @param workspace for local files
 * @param listeners who hears what happens
 * @param random cryptographically strong
 */
public record Context(
    InstantSource clock,
    Threads threads,
    int parallelism,
    Workspace workspace,
    Listeners listeners,
    RandomGenerator random) {
  /** For what computes. */
  public Executor executor() {
    return threads.working();
  }
}
