package org.stellaops.backup.parity;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Progress;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.Stopping;

/**
 * Tells how far a run is, at most five times a second and at the end of each phase; asks at the
 * same places whether to stop. One thread.
 */
final class Meter {
  private static final Logger LOG = LoggerFactory.getLogger(Meter.class);
  private static final Duration PAUSE = Duration.ofMillis(200);

  private final RunId run;
  private final InstantSource clock;
  private final BackupListener listener;
  private final Stopping stopping;
  private String phase = "";
  private Instant began = Instant.EPOCH;
  private Instant told = Instant.EPOCH;
  private long bytes;
  private long objects;
  private long expectedBytes;
  private boolean isListenerBroken;

  Meter(RunId run, InstantSource clock, BackupListener listener, Stopping stopping) {
    this.run = run;
    this.clock = clock;
    this.listener = listener;
    this.stopping = stopping;
  }

  void begin(String newPhase, long expected) {
    phase = newPhase;
    expectedBytes = expected;
    bytes = 0;
    objects = 0;
    began = clock.instant();
    tell(began);
  }

  void add(long moreBytes, long moreObjects) throws BackupException.Stopped {
    stopping.check();
    bytes += moreBytes;
    objects += moreObjects;
    Instant now = clock.instant();
    if (Duration.between(told, now).compareTo(PAUSE) >= 0) {
      tell(now);
    }
  }

  void end() {
    expectedBytes = bytes;
    tell(clock.instant());
  }

  private void tell(Instant now) {
    told = now;
    Duration elapsed = Duration.between(began, now);
    Progress progress = new Progress(run, phase, bytes, objects, expectedBytes, elapsed);
    tellListener(l -> l.progressed(progress));
  }

  private void tellListener(Consumer<BackupListener> event) {
    try {
      event.accept(listener);
    } catch (RuntimeException e) {
      if (!isListenerBroken) {
        isListenerBroken = true;
        LOG.warn(
            "a listener failed, which changes nothing; further failures of it are not logged", e);
      }
    }
  }
}
