package org.stellaops.backup.model;

import java.time.Instant;
import java.util.Optional;

/**
 * Where a replay on top of a capture ends. There is no time without a zone: an {@link Instant} is
 * one everywhere.
 */
public sealed interface RecoveryPoint {
  /** As far as anything was recorded. */
  record Latest() implements RecoveryPoint {
    @Override
    public String toString() {
      return "the latest point";
    }
  }

  /** As soon as the capture is consistent. */
  record Immediate() implements RecoveryPoint {
    @Override
    public String toString() {
      return "the end of the capture";
    }
  }

  /**
   * What was committed up to an instant, by the source's clock.
   *
   * @param isInclusive whether what was committed at that very instant is wanted, too
   */
  record AtTime(Instant time, boolean isInclusive) implements RecoveryPoint {
    @Override
    public Optional<Instant> instant() {
      return Optional.of(time);
    }

    @Override
    public String toString() {
      return (isInclusive ? "" : "just before ") + time;
    }
  }

  /**
   * A place in the stream.
   *
   * @param offset unsigned 64 bit
   * @param text as the technology writes it
   * @param isInclusive whether the event that begins there is wanted, too
   */
  record AtPosition(long offset, String text, boolean isInclusive) implements RecoveryPoint {
    @Override
    public String toString() {
      return (isInclusive ? "" : "just before ") + text;
    }
  }

  /**
   * The commit of a transaction.
   *
   * @param isInclusive whether its own changes are wanted, too
   */
  record AtTransaction(long id, boolean isInclusive) implements RecoveryPoint {
    @Override
    public String toString() {
      return (isInclusive ? "" : "just before ") + "transaction " + Long.toUnsignedString(id);
    }
  }

  /** A place that was given a name when it was passed. */
  record AtMark(String name) implements RecoveryPoint {
    @Override
    public String toString() {
      return "the restore point '" + name + "'";
    }
  }

  /** The time of it, where it is one. */
  default Optional<Instant> instant() {
    return Optional.empty();
  }

  /** As far as anything was recorded. */
  static RecoveryPoint latest() {
    return new Latest();
  }

  /** As soon as the capture is consistent: nothing beyond it is replayed. */
  static RecoveryPoint immediate() {
    return new Immediate();
  }

  /** Everything that was committed at this instant or before. */
  static RecoveryPoint at(Instant time) {
    return new AtTime(time, true);
  }

  /** Everything that was committed before this instant. */
  static RecoveryPoint before(Instant time) {
    return new AtTime(time, false);
  }

  /** Everything up to the commit of this transaction. */
  static RecoveryPoint atTransaction(long id) {
    return new AtTransaction(id, true);
  }

  /** Everything before the commit of this transaction. */
  static RecoveryPoint beforeTransaction(long id) {
    return new AtTransaction(id, false);
  }

  /** Everything up to the restore point of this name. */
  static RecoveryPoint atMark(String name) {
    return new AtMark(name);
  }
}
