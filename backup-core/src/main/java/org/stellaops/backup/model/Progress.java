package org.stellaops.backup.model;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How far a run is.
 *
 * @param run which run
 * @param phase what it does now: {@code capture database}, {@code commit}, {@code verify}, {@code
 *     restore config}, {@code copy}, {@code bundle} and {@code read again}, {@code bring} and
 *     {@code import}, {@code export}
 * @param bytes done in this phase
 * @param objects done in this phase: files, collections, packs
 * @param expectedBytes of this phase; 0 where unknown
 * @param elapsed since the phase began
 */
public record Progress(
    RunId run, String phase, long bytes, long objects, long expectedBytes, Duration elapsed) {
  /** 0 to 100; empty where nobody knows how much there is. */
  public OptionalInt percent() {
    return expectedBytes <= 0
        ? OptionalInt.empty()
        : OptionalInt.of((int) Math.min(100, (long) (100.0 * bytes / expectedBytes)));
  }

  /** Time to the end of the phase at the average speed so far; empty where unknown. */
  public Optional<Duration> remaining() {
    if (expectedBytes <= 0 || bytes <= 0) {
      return Optional.empty();
    }
    double perByte = (double) elapsed.toMillis() / bytes;
    return Optional.of(Duration.ofMillis((long) (perByte * Math.max(0, expectedBytes - bytes))));
  }
}
