package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.stellaops.backup.internal.repository.RunLog;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RunId;

/**
 * Tells whether a run has been silent for longer than its lease: by the store's clock where it has
 * one, else by having looked for so long and seen nothing new. To be wrong costs a run, never data.
 * From any thread.
 */
public final class Silence {
  private final StoreAccess store;
  private final RandomGenerator random;
  private final LongSupplier nanos;
  private final Map<RunId, Sign> seen = new HashMap<>();

  /** The newest sign of life of a run, and since when it is the newest, by our own clock. */
  private record Sign(ObjectName object, long sinceNanos) {}

  /**
   * @param nanos a clock that never jumps, in nanoseconds
   */
  public Silence(StoreAccess store, RandomGenerator random, LongSupplier nanos) {
    this.store = store;
    this.random = random;
    this.nanos = nanos;
  }

  /** Whether this run, which has not ended, may be ended by another. */
  boolean isOver(RunLog.Known run) throws IOException {
    ObjectName sign = newestSign(store, run);
    Optional<Instant> at = store.storedAt(sign);
    Optional<Instant> now = at.isEmpty() ? Optional.empty() : now(run.record().writer());
    Duration silence =
        at.isPresent() && now.isPresent()
            ? Duration.between(at.get(), now.get())
            : seenUnchanged(run.record().run(), sign);
    return silence.compareTo(run.record().lease()) > 0;
  }

  /**
   * Whether it looks so, for information: by the reader's clock, and only where the store knows
   * when the run gave its last sign. Stores nothing.
   */
  static boolean isLikely(StoreAccess store, RunLog.Known run, Instant now) throws IOException {
    return store
        .storedAt(newestSign(store, run))
        .filter(at -> at.plus(run.record().lease()).isBefore(now))
        .isPresent();
  }

  private Optional<Instant> now(String writer) throws IOException {
    return store.now(writer, "%016x".formatted(random.nextLong()));
  }

  /** Its newest beat; the entry with which it began, if there is none. */
  private static ObjectName newestSign(StoreAccess store, RunLog.Known run) throws IOException {
    List<ObjectName> beats = store.beats(run.record().writer(), run.record().run());
    // Numbers are not padded: the longer one is the greater one.
    return beats.stream()
        .max(
            Comparator.comparingInt((ObjectName n) -> n.value().length())
                .thenComparing(ObjectName::value))
        .orElseGet(() -> StoreAccess.entry(run.record().writer(), run.sequence()));
  }

  private synchronized Duration seenUnchanged(RunId run, ObjectName sign) {
    Sign last = seen.get(run);
    long now = nanos.getAsLong();
    if (last == null || !last.object().equals(sign)) {
      seen.put(run, new Sign(sign, now));
      return Duration.ZERO;
    }
    return Duration.ofNanos(now - last.sinceNanos());
  }

  /** It has ended: nobody will ask again. */
  synchronized void forget(RunId run) {
    seen.remove(run);
  }
}
