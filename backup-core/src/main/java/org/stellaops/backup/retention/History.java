package org.stellaops.backup.retention;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.SnapshotSummary;

/**
 * Everything that a decision about what to keep depends on.
 *
 * @param snapshots those that are not retired, with the captures that are not; of unpinned writers,
 *     too
 * @param holds those that were not released
 * @param unreadable snapshots of which only the place is known
 * @param retimed what was said about wrong clocks
 * @param now what policies count back from
 * @param storeTime by the clock of the store, where it has one
 * @param isPinned whether the reader has said whose signatures count: then only theirs do
 * @param clock what it is by the clock of whoever deletes, with which times are compared: later
 *     than {@code now} where something is carried out that was decided before
 */
public record History(
    List<SnapshotSummary> snapshots,
    List<Hold> holds,
    List<Unreadable> unreadable,
    List<Retimed> retimed,
    Instant now,
    Optional<Instant> storeTime,
    boolean isPinned,
    Instant clock) {
  public History {
    snapshots = List.copyOf(snapshots);
    holds = List.copyOf(holds);
    unreadable = List.copyOf(unreadable);
    retimed = List.copyOf(retimed);
  }

  /** The same, of one moment: what policies count back from is what the clock says. */
  public History(
      List<SnapshotSummary> snapshots,
      List<Hold> holds,
      List<Unreadable> unreadable,
      List<Retimed> retimed,
      Instant now,
      Optional<Instant> storeTime,
      boolean isPinned) {
    this(snapshots, holds, unreadable, retimed, now, storeTime, isPinned, now);
  }

  /** Of a reader who has pinned writers; without holds or anything that is wrong. */
  public static History of(List<SnapshotSummary> snapshots, Instant now) {
    return new History(snapshots, List.of(), List.of(), List.of(), now, Optional.empty(), true);
  }

  /** The same with these holds. */
  public History holds(List<Hold> all) {
    return new History(snapshots, all, unreadable, retimed, now, storeTime, isPinned, clock);
  }

  /** The same with these unreadable snapshots. */
  public History unreadable(List<Unreadable> all) {
    return new History(snapshots, holds, all, retimed, now, storeTime, isPinned, clock);
  }

  /** The same with these corrections of times. */
  public History retimed(List<Retimed> all) {
    return new History(snapshots, holds, unreadable, all, now, storeTime, isPinned, clock);
  }

  /** The same with the time by the clock of the store. */
  public History storeTime(Instant time) {
    return new History(
        snapshots, holds, unreadable, retimed, now, Optional.of(time), isPinned, clock);
  }

  /** The same for a reader who has pinned nobody: all snapshots count. */
  public History withoutPins() {
    return new History(snapshots, holds, unreadable, retimed, now, storeTime, false, clock);
  }

  /** The same, looked at when the clock says this. */
  public History clock(Instant time) {
    return new History(snapshots, holds, unreadable, retimed, now, storeTime, isPinned, time);
  }
}
