package org.stellaops.backup.postgres;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.postgres.internal.wal.SegmentSize;
import org.stellaops.backup.postgres.internal.wal.WalSegmentName;

/**
 * Recorded WAL by the names of its segments, as a server has them in its {@code pg_wal}. What of it
 * can be replayed on top of which capture, {@code Catalog.recoverable} tells.
 */
public final class WalListing {
  private final Coverage coverage;
  private final SegmentSize size;

  private WalListing(Coverage coverage, SegmentSize size) {
    this.coverage = coverage;
    this.size = size;
  }

  /**
   * What is recorded of a cluster with segments of 16 MiB, as initdb makes them.
   *
   * @param coverage of a stream of {@link PostgresWal} or {@link PostgresWalArchive}
   */
  public static WalListing of(Coverage coverage) {
    return of(coverage, SegmentSize.DEFAULT.bytes());
  }

  /** The same of a cluster with segments of so many bytes. */
  public static WalListing of(Coverage coverage, int segmentBytes) {
    if (!coverage.kind().value().equals(PostgresWal.KIND)) {
      throw new IllegalArgumentException("the stream is no WAL, but " + coverage.kind());
    }
    return new WalListing(coverage, new SegmentSize(segmentBytes));
  }

  /**
   * A segment of which something is recorded.
   *
   * @param name 24 hexadecimal digits
   * @param timeline to which it belongs
   * @param start of the segment
   * @param isComplete whether all of its bytes are recorded
   * @param firstTime earliest end of a transaction in what was recorded with it; empty if there is
   *     none
   * @param lastTime latest such end
   */
  public record Segment(
      String name,
      long timeline,
      Lsn start,
      boolean isComplete,
      Optional<Instant> firstTime,
      Optional<Instant> lastTime) {}

  /**
   * WAL that is missing between two recorded places of a timeline.
   *
   * @param timeline that has the gap
   * @param from first byte that is missing
   * @param to behind the last one
   * @param why it is missing, if that was known when it was recorded
   */
  public record Gap(long timeline, Lsn from, Lsn to, Optional<String> why) {}

  /** All segments, by timeline and place. */
  public List<Segment> segments() {
    Map<WalSegmentName, Found> found =
        new TreeMap<>(
            Comparator.comparingLong(WalSegmentName::timeline)
                .thenComparing(WalSegmentName::start));
    for (SliceSpan slice : coverage.slices()) {
      long timeline = slice.from().branch();
      Lsn end = new Lsn(slice.to().offset());
      WalSegmentName name = WalSegmentName.holding(new Lsn(slice.from().offset()), timeline, size);
      for (; name.start().compareTo(end) < 0; name = name.next()) {
        found.computeIfAbsent(name, n -> new Found()).add(slice);
      }
    }
    List<Segment> segments = new ArrayList<>();
    found.forEach((name, what) -> segments.add(what.segment(name, isComplete(name))));
    return List.copyOf(segments);
  }

  /**
   * The segments with the end of a transaction in between. Where a slice holds several segments,
   * its times are those of each of them: a listing may have a segment too many, but none too few.
   *
   * @param after earliest instant, itself included, by the server's clock
   * @param before latest instant, itself included
   * @throws IllegalArgumentException if {@code after} is later than {@code before}
   */
  public List<Segment> segments(Instant after, Instant before) {
    if (after.isAfter(before)) {
      throw new IllegalArgumentException("nothing is from %s to %s".formatted(after, before));
    }
    return segments().stream()
        .filter(s -> s.lastTime().filter(t -> !t.isBefore(after)).isPresent())
        .filter(s -> s.firstTime().filter(t -> !t.isAfter(before)).isPresent())
        .toList();
  }

  /** What is missing between recorded places, whether or not anybody had noticed. */
  public List<Gap> gaps() {
    List<SliceSpan> ranges = coverage.ranges();
    List<Gap> gaps = new ArrayList<>();
    for (int i = 1; i < ranges.size(); i++) {
      SliceSpan left = ranges.get(i - 1);
      SliceSpan right = ranges.get(i);
      if (left.from().branch() == right.from().branch()) {
        Lsn from = new Lsn(left.to().offset());
        Lsn to = new Lsn(right.from().offset());
        long timeline = right.from().branch();
        gaps.add(new Gap(timeline, from, to, why(timeline, from, to)));
      }
    }
    return List.copyOf(gaps);
  }

  private Optional<String> why(long timeline, Lsn from, Lsn to) {
    return coverage.gaps().stream()
        .filter(g -> g.to().branch() == timeline)
        .filter(g -> new Lsn(g.from().offset()).compareTo(to) < 0)
        .filter(g -> new Lsn(g.to().offset()).compareTo(from) > 0)
        .map(StreamGap::why)
        .findFirst();
  }

  private boolean isComplete(WalSegmentName name) {
    return coverage.ranges().stream()
        .filter(r -> r.from().branch() == name.timeline())
        .filter(r -> new Lsn(r.from().offset()).compareTo(name.start()) <= 0)
        .anyMatch(r -> new Lsn(r.to().offset()).compareTo(name.end()) >= 0);
  }

  /** Times of what was recorded of one segment. */
  private static final class Found {
    private Optional<Instant> first = Optional.empty();
    private Optional<Instant> last = Optional.empty();

    void add(SliceSpan slice) {
      if (slice.firstTime().isPresent()) {
        Instant from = slice.firstTime().get();
        first = first.filter(f -> f.isBefore(from)).or(() -> Optional.of(from));
      }
      if (slice.lastTime().isPresent()) {
        Instant to = slice.lastTime().get();
        last = last.filter(l -> l.isAfter(to)).or(() -> Optional.of(to));
      }
    }

    Segment segment(WalSegmentName name, boolean isComplete) {
      return new Segment(name.toString(), name.timeline(), name.start(), isComplete, first, last);
    }
  }
}
