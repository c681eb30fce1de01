package org.stellaops.backup.model;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What of one stream is recorded, as signed entries tell it: no identity is needed.
 *
 * @param log where it stands
 * @param stream what the plan calls it
 * @param kind format of its slices
 * @param lineage whose history it is
 * @param slices of every branch, by branch and place; the larger one where several cover a place
 * @param gaps what is known to be lost
 * @param marks named places, in the order of recording
 */
public record Coverage(
    String log,
    SourceName stream,
    SourceKind kind,
    String lineage,
    List<SliceSpan> slices,
    List<StreamGap> gaps,
    List<StreamMark> marks) {
  private static final Comparator<SliceSpan> BY_PLACE =
      Comparator.comparingLong((SliceSpan s) -> s.from().branch())
          .thenComparing((a, b) -> Long.compareUnsigned(a.from().offset(), b.from().offset()))
          .thenComparing((a, b) -> Long.compareUnsigned(b.to().offset(), a.to().offset()));

  public Coverage {
    slices = withoutCovered(slices);
    gaps = List.copyOf(gaps);
    marks = List.copyOf(marks);
  }

  private static List<SliceSpan> withoutCovered(List<SliceSpan> slices) {
    List<SliceSpan> sorted = new ArrayList<>(slices);
    sorted.sort(BY_PLACE);
    List<SliceSpan> kept = new ArrayList<>();
    for (SliceSpan slice : sorted) {
      if (kept.isEmpty() || !kept.get(kept.size() - 1).covers(slice)) {
        kept.add(slice);
      }
    }
    return List.copyOf(kept);
  }

  /**
   * The contiguous ranges, by branch and place. What lies between two of one branch is missing.
   * Their times are the earliest and the latest of all their slices.
   */
  public List<SliceSpan> ranges() {
    List<SliceSpan> ranges = new ArrayList<>();
    for (SliceSpan slice : slices) {
      int last = ranges.size() - 1;
      if (last >= 0 && touches(ranges.get(last), slice)) {
        ranges.set(last, joined(ranges.get(last), slice));
      } else {
        ranges.add(slice);
      }
    }
    return List.copyOf(ranges);
  }

  private static boolean touches(SliceSpan range, SliceSpan next) {
    return range.from().branch() == next.from().branch()
        && Long.compareUnsigned(next.from().offset(), range.to().offset()) <= 0;
  }

  private static SliceSpan joined(SliceSpan range, SliceSpan next) {
    Position to =
        Long.compareUnsigned(range.to().offset(), next.to().offset()) < 0 ? next.to() : range.to();
    long offsets = to.offset() - range.from().offset();
    boolean countsBytes = range.countsBytes() && next.countsBytes();
    return new SliceSpan(
        range.from(),
        to,
        countsBytes ? offsets : range.lengthBytes() + next.lengthBytes(),
        earlier(range.firstTime(), next.firstTime()),
        later(range.lastTime(), next.lastTime()));
  }

  private static Optional<Instant> earlier(Optional<Instant> one, Optional<Instant> other) {
    boolean isOther = one.isEmpty() || (other.isPresent() && other.get().isBefore(one.get()));
    return isOther ? other : one;
  }

  private static Optional<Instant> later(Optional<Instant> one, Optional<Instant> other) {
    boolean isOther = one.isEmpty() || (other.isPresent() && other.get().isAfter(one.get()));
    return isOther ? other : one;
  }

  /**
   * How far the history goes on from a position without a gap: on its branch, and on every later
   * branch that begins no farther than what is recorded before it, and reaches the position. Where
   * branches were abandoned before they were left, only the technology can tell.
   *
   * @return the range that holds the position, on the last branch; empty if none does
   */
  public Optional<SliceSpan> onwardFrom(Position position) {
    Optional<SliceSpan> reached = Optional.empty();
    for (SliceSpan range : ranges()) {
      boolean isStart =
          reached.isEmpty()
              && range.from().lineage().equals(position.lineage())
              && range.from().branch() == position.branch()
              && Long.compareUnsigned(range.from().offset(), position.offset()) <= 0
              && Long.compareUnsigned(position.offset(), range.to().offset()) <= 0;
      boolean isNextBranch =
          reached.isPresent()
              && range.from().branch() > reached.get().from().branch()
              && Long.compareUnsigned(range.from().offset(), reached.get().to().offset()) <= 0
              && Long.compareUnsigned(position.offset(), range.to().offset()) <= 0;
      if (isStart || isNextBranch) {
        reached = Optional.of(range);
      }
    }
    return reached;
  }

  /** The newest branch; 0 where nothing is recorded. */
  public long newestBranch() {
    return slices.isEmpty() ? 0 : slices.get(slices.size() - 1).from().branch();
  }

  /** How many bytes are recorded, overlaps counted once. */
  public long lengthBytes() {
    return ranges().stream().mapToLong(SliceSpan::lengthBytes).sum();
  }
}
