package org.stellaops.backup.model;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * One moment of a plan's schedule, which one run is to answer for, whoever makes it. Two slots are
 * the same if they are due at the same second.
 *
 * @param due when the run was to begin, in whole seconds: what is less is cut off
 */
public record Slot(Instant due) {
  public Slot {
    due = due.truncatedTo(ChronoUnit.SECONDS);
  }

  /** The slot that is due then. */
  public static Slot at(Instant due) {
    return new Slot(due);
  }

  /** Reads what {@link #toString} wrote. */
  public static Slot parse(String text) {
    return new Slot(Instant.parse(text));
  }

  @Override
  public String toString() {
    return due.toString();
  }
}
