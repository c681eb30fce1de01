package org.stellaops.backup.model;

/**
 * Slots of a log that lie beside each other.
 *
 * @param log name of the log
 * @param first of them, from 1
 * @param last of them, not less than the first
 */
public record SlotRange(String log, long first, long last) {
  public SlotRange {
    if (first < 1 || last < first) {
      throw new IllegalArgumentException("slots %d to %d of %s".formatted(first, last, log));
    }
  }

  @Override
  public String toString() {
    return first == last ? log + "/" + first : log + "/" + first + ".." + last;
  }
}
