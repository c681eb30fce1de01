package org.stellaops.backup.model;

import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How full a store is, as far as it can tell.
 *
 * @param freeBytes that can still be put; empty where unknown, which is not zero
 * @param totalBytes of the place, with what others have in it; empty where unknown
 */
public record StorageRoom(OptionalLong freeBytes, OptionalLong totalBytes) {
  private static final int PERCENT = 100;

  /** How much of it is taken, 0 to 100, rounded up: a store of which a byte is left is 100. */
  public OptionalInt usedPercent() {
    if (freeBytes.isEmpty() || totalBytes.isEmpty() || totalBytes.getAsLong() <= 0) {
      return OptionalInt.empty();
    }
    double free = (double) freeBytes.getAsLong() / totalBytes.getAsLong();
    return OptionalInt.of((int) Math.min(PERCENT, Math.max(0, Math.ceil(PERCENT * (1 - free)))));
  }
}
