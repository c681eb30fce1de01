package org.stellaops.backup.model;

import java.time.Instant;
import java.util.Optional;

/**
 * A range of one branch of a stream.
 *
 * @param from its first byte
 * @param to behind its last byte
 * @param lengthBytes how many bytes it has: as many as lie between the two offsets where these
 *     count bytes; any number, also none, where they count something else; of a range that is
 *     recorded at once at most 2^31 - 1
 * @param firstTime earliest time of an event that ends in it, by the source's clock; empty if none
 *     has a time
 * @param lastTime latest time of such an event
 */
public record SliceSpan(
    Position from,
    Position to,
    long lengthBytes,
    Optional<Instant> firstTime,
    Optional<Instant> lastTime) {
  public SliceSpan {
    boolean isOneBranch = from.lineage().equals(to.lineage()) && from.branch() == to.branch();
    if (!isOneBranch || Long.compareUnsigned(from.offset(), to.offset()) >= 0) {
      throw new IllegalArgumentException("no range of a stream: from %s to %s".formatted(from, to));
    }
    if (firstTime.isPresent() != lastTime.isPresent()) {
      throw new IllegalArgumentException("a range with only one of its two times");
    }
  }

  /** A range of a branch whose offsets count bytes. */
  public SliceSpan(
      Position from, Position to, Optional<Instant> firstTime, Optional<Instant> lastTime) {
    this(from, to, to.offset() - from.offset(), firstTime, lastTime);
  }

  /** A range in which nothing has a time, of a branch whose offsets count bytes. */
  public static SliceSpan of(Position from, Position to) {
    return new SliceSpan(from, to, Optional.empty(), Optional.empty());
  }

  /** Whether its offsets count bytes. */
  boolean countsBytes() {
    return lengthBytes == to.offset() - from.offset();
  }

  /** Whether the other range lies within this one. */
  public boolean covers(SliceSpan other) {
    return from.lineage().equals(other.from.lineage())
        && from.branch() == other.from.branch()
        && Long.compareUnsigned(from.offset(), other.from.offset()) <= 0
        && Long.compareUnsigned(other.to.offset(), to.offset()) <= 0;
  }

  @Override
  public String toString() {
    return from + " to " + to.text();
  }
}
