package org.stellaops.backup.postgres.internal.restore;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.internal.wal.SegmentSize;
import org.stellaops.backup.postgres.internal.wal.TimelineHistory;

/**
 * The recorded WAL that leads on from a base backup to a timeline, as far as it does without a gap.
 *
 * @param pieces in the order of replay; empty if nothing is recorded where the base backup ends
 * @param end behind the last byte
 * @param isWhole whether it leads to the end of all that is recorded of the timeline
 */
record ReplayPath(List<Piece> pieces, Lsn end, boolean isWhole) {
  ReplayPath {
    pieces = List.copyOf(pieces);
  }

  /**
   * WAL of one timeline.
   *
   * @param timeline which one
   * @param from where a segment begins
   * @param to behind its last byte
   */
  record Piece(long timeline, Lsn from, Lsn to) {}

  /**
   * Follows the history of a timeline.
   *
   * @param history of the timeline to reach
   * @param base timeline of the base backup
   * @param from where the base backup is consistent
   */
  static ReplayPath of(
      Coverage coverage, TimelineHistory history, long base, Lsn from, SegmentSize size) {
    List<Piece> pieces = new ArrayList<>();
    Lsn at = from;
    long timeline = base;
    while (true) {
      Optional<Lsn> left = left(history, timeline);
      Lsn begin = size.floor(at);
      Optional<Lsn> recorded = recordedTo(coverage, timeline, begin);
      if (recorded.isEmpty()) {
        return new ReplayPath(pieces, at, isNothing(coverage, timeline, begin) && left.isEmpty());
      }
      boolean isLeft = left.isPresent() && recorded.get().compareTo(left.get()) >= 0;
      Lsn to = isLeft ? left.get() : recorded.get();
      if (to.compareTo(begin) > 0) {
        pieces.add(new Piece(timeline, begin, to));
      }
      if (!isLeft) {
        boolean isLast = left.isEmpty() && isNothing(coverage, timeline, to);
        return new ReplayPath(pieces, to, isLast);
      }
      at = to;
      timeline = next(history, timeline);
    }
  }

  /** Where a timeline was left for the next one; empty if it is the one to reach. */
  private static Optional<Lsn> left(TimelineHistory history, long timeline) {
    return history.ancestors().stream()
        .filter(a -> a.timeline() == timeline)
        .map(TimelineHistory.Ancestor::end)
        .findFirst();
  }

  private static long next(TimelineHistory history, long timeline) {
    return history.ancestors().stream()
        .mapToLong(TimelineHistory.Ancestor::timeline)
        .filter(t -> t > timeline)
        .findFirst()
        .orElse(history.timeline());
  }

  /** Behind the last byte that is recorded without a gap; empty if this place is not. */
  private static Optional<Lsn> recordedTo(Coverage coverage, long timeline, Lsn place) {
    return coverage.ranges().stream()
        .filter(r -> r.from().branch() == timeline)
        .filter(r -> new Lsn(r.from().offset()).compareTo(place) <= 0)
        .map(r -> new Lsn(r.to().offset()))
        .filter(to -> to.compareTo(place) >= 0)
        .findFirst();
  }

  /** Whether nothing of a timeline is recorded behind a place. */
  private static boolean isNothing(Coverage coverage, long timeline, Lsn place) {
    return coverage.ranges().stream()
        .filter(r -> r.from().branch() == timeline)
        .allMatch(r -> new Lsn(r.to().offset()).compareTo(place) <= 0);
  }

  /**
   * Bytes of a slice.
   *
   * @param from first of them that is wanted
   * @param to behind the last one
   */
  record Part(SliceSpan slice, Lsn from, Lsn to) {
    /** Whether the slice goes on behind it, on a timeline that was left. */
    boolean isCut() {
      return to.position() != slice.to().offset();
    }
  }

  /** The slices of a piece, each from where the one before ends. */
  static List<Part> parts(Coverage coverage, Piece piece) {
    List<Part> parts = new ArrayList<>();
    Lsn at = piece.from();
    while (at.compareTo(piece.to()) < 0) {
      Part next = part(coverage, piece, at);
      parts.add(next);
      at = next.to();
    }
    return parts;
  }

  /** The slice that holds a place and goes on farthest. */
  private static Part part(Coverage coverage, Piece piece, Lsn at) {
    SliceSpan farthest = null;
    for (SliceSpan slice : coverage.slices()) {
      boolean holds =
          slice.from().branch() == piece.timeline()
              && new Lsn(slice.from().offset()).compareTo(at) <= 0
              && new Lsn(slice.to().offset()).compareTo(at) > 0;
      boolean isFarther =
          holds
              && (farthest == null
                  || Long.compareUnsigned(slice.to().offset(), farthest.to().offset()) > 0);
      farthest = isFarther ? slice : farthest;
    }
    if (farthest == null) {
      throw new AssertionError("a piece is recorded without a gap: " + piece + " at " + at);
    }
    Lsn end = new Lsn(farthest.to().offset());
    return new Part(farthest, at, end.compareTo(piece.to()) < 0 ? end : piece.to());
  }

  /** The same, ending at a place in its last piece or before. */
  ReplayPath upTo(Lsn place) {
    List<Piece> shorter = new ArrayList<>();
    for (Piece piece : pieces) {
      if (piece.from().compareTo(place) < 0) {
        Lsn to = piece.to().compareTo(place) < 0 ? piece.to() : place;
        shorter.add(new Piece(piece.timeline(), piece.from(), to));
      }
    }
    return new ReplayPath(shorter, place, false);
  }

  /** The same without what follows one of its pieces. */
  ReplayPath through(Piece last) {
    return new ReplayPath(pieces.subList(0, pieces.indexOf(last) + 1), last.to(), false);
  }

  /** How many bytes of WAL it has. */
  long lengthBytes() {
    return pieces.stream().mapToLong(p -> p.to().position() - p.from().position()).sum();
  }
}
