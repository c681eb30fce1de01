package org.stellaops.backup.internal.run;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.stellaops.backup.model.Progress;
import org.stellaops.backup.model.RunId;

/**
 * Tells how far a run is, at most five times a second per phase and at the end of each phase. One
 * thread.
 */
final class ProgressMeter {
  private static final Duration PAUSE = Duration.ofMillis(200);

  private final RunId run;
  private final InstantSource clock;
  private final Listeners listeners;
  private String phase = "";
  private Instant began = Instant.EPOCH;
  private Instant told = Instant.EPOCH;
  private long bytes;
  private long objects;
  private long expectedBytes;

  ProgressMeter(RunId run, InstantSource clock, Listeners listeners) {
    this.run = run;
    this.clock = clock;
    this.listeners = listeners;
  }

  void begin(String newPhase, long expected) {
    phase = newPhase;
    expectedBytes = expected;
    bytes = 0;
    objects = 0;
    began = clock.instant();
    tell(began);
  }

  void at(long nowBytes, long nowObjects, long nowExpectedBytes) {
    bytes = nowBytes;
    objects = nowObjects;
    expectedBytes = nowExpectedBytes;
    Instant now = clock.instant();
    if (Duration.between(told, now).compareTo(PAUSE) >= 0) {
      tell(now);
    }
  }

  void add(long moreBytes, long moreObjects) {
    at(bytes + moreBytes, objects + moreObjects, expectedBytes);
  }

  void end() {
    expectedBytes = Math.max(bytes, 0);
    tell(clock.instant());
  }

  private void tell(Instant now) {
    told = now;
    Progress progress =
        new Progress(run, phase, bytes, objects, expectedBytes, Duration.between(began, now));
    listeners.tell(l -> l.progressed(progress));
  }
}
