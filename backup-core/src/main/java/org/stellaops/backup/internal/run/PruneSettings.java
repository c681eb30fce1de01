package org.stellaops.backup.internal.run;

import java.time.Duration;

/**
 * How careful a prune is.
 *
 * @param grace so long what is doomed can be taken back
 * @param minimumAge what was stored later is left alone: a run may be about to name it
 */
public record PruneSettings(Duration grace, Duration minimumAge) {
  /** A week to change one's mind, and a day for a run to end. */
  public static final PruneSettings USUAL =
      new PruneSettings(Duration.ofDays(7), Duration.ofDays(1));
}
