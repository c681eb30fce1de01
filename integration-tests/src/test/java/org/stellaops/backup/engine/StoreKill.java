package org.stellaops.backup.engine;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.random.RandomGenerator;

/**
 * Kills a store at a seeded moment: whenever it is, with half of an object received, or between an
 * object and the answer that it is durable.
 */
final class StoreKill {
  private static final long LONGEST_MILLIS = 1_200;

  /** About what a put takes: it is done when the store is killed, or not. */
  private static final long LONGEST_ANSWER_MICROS = 12_000;

  private record Wanted(
      RemoteSink.Moment moment, Duration later, CompletableFuture<Void> isKilled) {}

  private final AtomicReference<Optional<Wanted>> wanted = new AtomicReference<>(Optional.empty());
  private final StoreProcess store;
  private final RandomGenerator random;
  private int withinPuts;

  StoreKill(StoreProcess store, RandomGenerator random) {
    this.store = store;
    this.random = random;
  }

  /** For the sinks of the store. */
  void heard(RemoteSink.Moment moment) {
    Optional<Wanted> now = wanted.get();
    if (now.isPresent()
        && now.get().moment() == moment
        && wanted.compareAndSet(now, Optional.empty())) {
      Sql.pause(now.get().later());
      store.kill();
      now.get().isKilled().complete(null);
    }
  }

  /** Waits for the moment, and returns when the store is dead. */
  void strike() throws Exception {
    Sql.pause(Duration.ofMillis(random.nextLong(LONGEST_MILLIS)));
    switch (random.nextInt(3)) {
      case 0 -> store.kill();
      case 1 -> strikeAt(RemoteSink.Moment.HALF_SENT, Duration.ZERO);
      default ->
          strikeAt(
              RemoteSink.Moment.SENT,
              Duration.ofNanos(1_000 * random.nextLong(LONGEST_ANSWER_MICROS)));
    }
  }

  private void strikeAt(RemoteSink.Moment moment, Duration later) throws Exception {
    CompletableFuture<Void> isKilled = new CompletableFuture<>();
    wanted.set(Optional.of(new Wanted(moment, later, isKilled)));
    isKilled.get(60, TimeUnit.SECONDS);
    withinPuts++;
  }

  /** How many were in the midst of a put. */
  int withinPuts() {
    return withinPuts;
  }
}
