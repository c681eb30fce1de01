package org.stellaops.backup.model;

/**
 * A part of a branch that was lost before it could be recorded. Nothing can be replayed across it.
 *
 * @param from first byte that is missing
 * @param to behind the last one
 * @param why in a sentence of 1 to 1000 characters
 */
public record StreamGap(Position from, Position to, String why) {
  private static final int MAX_CHARACTERS = 1000;

  public StreamGap {
    boolean isOneBranch = from.lineage().equals(to.lineage()) && from.branch() == to.branch();
    if (!isOneBranch || Long.compareUnsigned(from.offset(), to.offset()) >= 0) {
      throw new IllegalArgumentException("no gap in a stream: from %s to %s".formatted(from, to));
    }
    if (why.isEmpty() || why.length() > MAX_CHARACTERS) {
      throw new IllegalArgumentException(
          "the reason of a gap has %d characters, allowed are 1 to %d"
              .formatted(why.length(), MAX_CHARACTERS));
    }
  }
}
