package org.stellaops.backup.postgres.internal.restore;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.StreamMark;
import org.stellaops.backup.model.UnreachablePointException;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.internal.wal.SegmentSize;
import org.stellaops.backup.postgres.internal.wal.TimelineHistory;
import org.stellaops.backup.postgres.internal.wal.WalListener;
import org.stellaops.backup.postgres.internal.wal.WalOrigin;
import org.stellaops.backup.postgres.internal.wal.WalScanner;
import org.stellaops.backup.spi.RecordedStream;

/**
 * Decides what has to be replayed to reach a point, or why it cannot be reached and which point
 * could. A server that is given a target which it never meets stops with an error after hours of
 * replay; here that is known before.
 */
public final class ReplayPlanner {
  private static final int MAX_HISTORY_BYTES = 1 << 20;
  private static final int BUFFER_BYTES = 256 << 10;

  /** As PostgreSQL reads it, whatever its DateStyle and TimeZone. */
  private static final DateTimeFormatter TIMESTAMP =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSSSSS'+00'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private final RecordedStream stream;
  private final Coverage coverage;
  private final CaptureSpan base;
  private final SegmentSize size;
  private final int major;
  private final Optional<Long> timeline;

  /**
   * @param base of the capture that is replayed upon
   * @param major version of the server that wrote the WAL
   * @param timeline to follow; empty: the newest
   */
  public ReplayPlanner(
      RecordedStream stream,
      CaptureSpan base,
      SegmentSize size,
      int major,
      Optional<Long> timeline) {
    this.stream = stream;
    this.coverage = stream.coverage();
    this.base = base;
    this.size = size;
    this.major = major;
    this.timeline = timeline;
  }

  /** What to replay. */
  public Replay to(RecoveryPoint point) throws IOException, UnreachablePointException {
    Lsn consistent = new Lsn(base.end().offset());
    if (point instanceof RecoveryPoint.Immediate) {
      return immediate(base);
    }
    long target = timeline.orElse(Math.max(base.end().branch(), coverage.newestBranch()));
    TimelineHistory history = history(target);
    if (!history.holds(base.end().branch(), consistent)) {
      throw new UnreachablePointException(
          CoreFailure.POINT_TOO_EARLY,
          "the capture ends at %s on timeline %d, which timeline %d had left before"
              .formatted(consistent, base.end().branch(), target));
    }
    ReplayPath path = ReplayPath.of(coverage, history, base.end().branch(), consistent, size);
    if (point instanceof RecoveryPoint.AtTime at) {
      return toTime(inMicroseconds(at), path, target);
    }
    if (point instanceof RecoveryPoint.AtTransaction at) {
      return toTransaction(at, path, target);
    }
    if (point instanceof RecoveryPoint.AtPosition at) {
      return toPosition(at, path, target);
    }
    if (point instanceof RecoveryPoint.AtMark at) {
      return toMark(at, path, target, history);
    }
    requireWhole(path, "the latest point");
    return new Replay(target, path.pieces(), path.end(), Map.of());
  }

  /** Nothing but what the base backup brings along. */
  public static Replay immediate(CaptureSpan base) {
    return new Replay(
        base.end().branch(),
        List.of(),
        new Lsn(base.end().offset()),
        Map.of("recovery_target", "immediate"));
  }

  private TimelineHistory history(long target) throws IOException, UnreachablePointException {
    if (target == 1) {
      return new TimelineHistory(1, List.of());
    }
    String name = TimelineHistory.fileName(target);
    if (!stream.companions().contains(name)) {
      if (target == base.end().branch()) {
        // Nothing of an ancestor is needed: the base backup is on the timeline itself.
        return new TimelineHistory(target, List.of());
      }
      throw new UnreachablePointException(
          CoreFailure.POINT_UNKNOWN,
          "%s is not recorded; there are the timelines %s"
              .formatted(name, coverage.ranges().stream().map(r -> r.from().branch()).toList()));
    }
    try (InputStream in = stream.openCompanion(name)) {
      byte[] content = in.readNBytes(MAX_HISTORY_BYTES);
      if (in.read() >= 0) {
        throw new BackupException.Corrupt(CoreFailure.MALFORMED, name + " is too large");
      }
      return TimelineHistory.parse(target, content);
    }
  }

  /** The server's times have no smaller unit: what is before a part of one includes the whole. */
  private static RecoveryPoint.AtTime inMicroseconds(RecoveryPoint.AtTime at) {
    Instant whole = at.time().truncatedTo(ChronoUnit.MICROS);
    return new RecoveryPoint.AtTime(whole, at.isInclusive() || !whole.equals(at.time()));
  }

  private Replay toTime(RecoveryPoint.AtTime at, ReplayPath path, long target)
      throws IOException, UnreachablePointException {
    if (at.time().isBefore(base.recoverableFrom())) {
      throw new UnreachablePointException(
          CoreFailure.POINT_TOO_EARLY,
          "the earliest instant that this capture leads to is " + base.recoverableFrom());
    }
    Instant latest = base.recoverableFrom();
    for (ReplayPath.Piece piece : path.pieces()) {
      for (ReplayPath.Part part : ReplayPath.parts(coverage, piece)) {
        Optional<Instant> last = lastTime(piece, part);
        if (last.isPresent() && isBehind(last.get(), at)) {
          return upTo(part.to(), at, path.through(piece), target);
        }
        latest = last.filter(latest::isBefore).orElse(latest);
      }
    }
    requireWhole(path, at.toString());
    if (at.isInclusive() && latest.equals(at.time())) {
      return new Replay(target, path.pieces(), path.end(), Map.of());
    }
    throw new UnreachablePointException(
        CoreFailure.POINT_TOO_LATE,
        "the latest instant that is recorded is %s, at %s; hint: the latest point is everything up to there"
            .formatted(latest, path.end()));
  }

  private static boolean isBehind(Instant time, RecoveryPoint.AtTime at) {
    int order = time.compareTo(at.time());
    return order > 0 || (order == 0 && !at.isInclusive());
  }

  /**
   * Latest time of an event in a part. What a slice says of itself may be of an event behind the
   * place where its timeline was left, which no server on this path meets.
   */
  private Optional<Instant> lastTime(ReplayPath.Piece piece, ReplayPath.Part part)
      throws IOException {
    if (!part.isCut() || part.slice().lastTime().isEmpty()) {
      return part.slice().lastTime();
    }
    Lsn segment = size.floor(part.from());
    Lsn from = segment.compareTo(piece.from()) < 0 ? piece.from() : segment;
    LatestTime found = new LatestTime();
    ReplayPath.Piece beginning = new ReplayPath.Piece(piece.timeline(), from, part.to());
    scan(new ReplayPath(List.of(beginning), part.to(), false), found);
    return found.latest;
  }

  /** The first event behind the point is before this place, so the server meets it. */
  private static Replay upTo(Lsn place, RecoveryPoint.AtTime at, ReplayPath path, long target) {
    ReplayPath shorter = path.upTo(place);
    return new Replay(
        target,
        shorter.pieces(),
        shorter.end(),
        Map.of(
            "recovery_target_time",
            TIMESTAMP.format(at.time()),
            "recovery_target_inclusive",
            Boolean.toString(at.isInclusive())));
  }

  private Replay toPosition(RecoveryPoint.AtPosition at, ReplayPath path, long target)
      throws IOException, UnreachablePointException {
    Lsn place = new Lsn(at.offset());
    Lsn consistent = new Lsn(base.end().offset());
    if (place.compareTo(consistent) < 0) {
      throw new UnreachablePointException(
          CoreFailure.POINT_TOO_EARLY,
          "the earliest place that this capture leads to is " + consistent);
    }
    if (place.compareTo(path.end()) > 0) {
      requireWhole(path, at.toString());
      throw new UnreachablePointException(
          CoreFailure.POINT_TOO_LATE, "the WAL is recorded up to " + path.end());
    }
    if (!at.isInclusive()) {
      return cut(path, place, target);
    }
    RecordAt found = new RecordAt(place);
    scan(path, found);
    if (found.end.isEmpty()) {
      throw new UnreachablePointException(
          CoreFailure.POINT_TOO_LATE,
          "no whole record begins at %s or behind it: the WAL is recorded up to %s"
              .formatted(place, path.end()));
    }
    return cut(path, found.end.get(), target);
  }

  private static Replay cut(ReplayPath path, Lsn place, long target) {
    ReplayPath shorter = path.upTo(place);
    return new Replay(target, shorter.pieces(), place, Map.of());
  }

  private Replay toMark(
      RecoveryPoint.AtMark at, ReplayPath path, long target, TimelineHistory history)
      throws UnreachablePointException {
    List<StreamMark> named =
        coverage.marks().stream().filter(m -> m.name().equals(at.name())).toList();
    if (named.isEmpty()) {
      throw new UnreachablePointException(
          CoreFailure.POINT_UNKNOWN,
          "no restore point '%s' is recorded; there are %s"
              .formatted(at.name(), coverage.marks().stream().map(StreamMark::name).toList()));
    }
    List<Lsn> onPath =
        named.stream()
            .filter(m -> history.holds(m.at().branch(), new Lsn(m.at().offset())))
            .map(m -> new Lsn(m.at().offset()))
            .toList();
    if (onPath.isEmpty()) {
      throw new UnreachablePointException(
          CoreFailure.POINT_UNKNOWN,
          "the restore point '%s' is not in the history of timeline %d, but at %s"
              .formatted(at.name(), target, named.stream().map(StreamMark::at).toList()));
    }
    Lsn place = onPath.get(onPath.size() - 1);
    return toPlace(place, at, path, target);
  }

  private Replay toPlace(Lsn place, RecoveryPoint at, ReplayPath path, long target)
      throws UnreachablePointException {
    Lsn consistent = new Lsn(base.end().offset());
    if (place.compareTo(consistent) < 0) {
      throw new UnreachablePointException(
          CoreFailure.POINT_TOO_EARLY,
          "%s is at %s, this capture leads to %s and farther".formatted(at, place, consistent));
    }
    if (place.compareTo(path.end()) > 0) {
      requireWhole(path, at.toString());
      throw new UnreachablePointException(
          CoreFailure.POINT_TOO_LATE, "the WAL is recorded up to " + path.end());
    }
    return cut(path, place, target);
  }

  private Replay toTransaction(RecoveryPoint.AtTransaction at, ReplayPath path, long target)
      throws IOException, UnreachablePointException {
    // A full transaction id has the epoch in its upper half; WAL has the lower one.
    EndOf found = new EndOf(at.id() & 0xFFFF_FFFFL);
    scan(path, found);
    if (found.end.isEmpty()) {
      requireWhole(path, at.toString());
      throw new UnreachablePointException(
          CoreFailure.POINT_TOO_EARLY,
          "%s does not end in the WAL from %s to %s".formatted(at, base.end().text(), path.end()));
    }
    if (at.isInclusive()) {
      return toPlace(found.end.get(), at, path, target);
    }
    Replay upTo = toPlace(found.end.get(), at, path, target);
    return new Replay(
        target,
        upTo.pieces(),
        upTo.end(),
        Map.of(
            "recovery_target_xid",
            Long.toString(at.id() & 0xFFFF_FFFFL),
            "recovery_target_inclusive",
            "false"));
  }

  private void requireWhole(ReplayPath path, String wanted) throws UnreachablePointException {
    if (!path.isWhole()) {
      throw new UnreachablePointException(
          CoreFailure.POINT_CUT_OFF,
          "%s lies behind a gap: from this capture on the WAL is recorded up to %s only%s"
              .formatted(wanted, path.end(), gaps()));
    }
  }

  private String gaps() {
    return coverage.gaps().isEmpty()
        ? ""
        : "; lost were "
            + coverage.gaps().stream().map(g -> g.from() + " to " + g.to().text()).toList();
  }

  /** Hears of what is on the path until it has heard enough. */
  private abstract static class Search implements WalListener {
    Optional<Lsn> end = Optional.empty();

    @Override
    public void committed(Lsn at, long xid, Instant time) {}

    @Override
    public void aborted(Lsn at, long xid, Instant time) {}

    @Override
    public void restorePoint(Lsn at, String name, Instant time) {}
  }

  /** Finds where a transaction ends. */
  private static final class EndOf extends Search {
    private final long wanted;

    EndOf(long wanted) {
      this.wanted = wanted;
    }

    @Override
    public void committed(Lsn at, long xid, Instant time) {
      end = xid == wanted ? Optional.of(at) : end;
    }

    @Override
    public void aborted(Lsn at, long xid, Instant time) {
      committed(at, xid, time);
    }
  }

  /** Finds the latest time, and so hears of everything. */
  private static final class LatestTime extends Search {
    Optional<Instant> latest = Optional.empty();

    @Override
    public void committed(Lsn at, long xid, Instant time) {
      latest = latest.filter(time::isBefore).or(() -> Optional.of(time));
    }

    @Override
    public void aborted(Lsn at, long xid, Instant time) {
      committed(at, xid, time);
    }

    @Override
    public void restorePoint(Lsn at, String name, Instant time) {
      committed(at, 0, time);
    }
  }

  /** Finds where the record ends that begins at a place, or the next one behind it. */
  private static final class RecordAt extends Search {
    private final Lsn place;

    RecordAt(Lsn place) {
      this.place = place;
    }

    void passed(WalScanner scanner) {
      Optional<Lsn> last = scanner.endOfLastRecord();
      if (end.isEmpty() && last.isPresent() && last.get().compareTo(place) > 0) {
        end = last;
      }
    }
  }

  /** Reads the WAL of a path from its beginning until something was found. */
  private void scan(ReplayPath path, Search search) throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    for (ReplayPath.Piece piece : path.pieces()) {
      WalScanner scanner = new WalScanner(origin(piece.timeline()), piece.from(), search);
      for (ReplayPath.Part part : ReplayPath.parts(coverage, piece)) {
        if (search.end.isPresent()) {
          return;
        }
        try (InputStream in = StagedWal.open(stream, part)) {
          for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            feed(scanner, buffer, n, search);
          }
        }
      }
    }
  }

  /** In small steps, so that the record is found and not the last one of many. */
  private static void feed(WalScanner scanner, byte[] bytes, int length, Search search)
      throws IOException {
    if (!(search instanceof RecordAt record)) {
      scanner.accept(bytes, 0, length);
      return;
    }
    for (int at = 0; at < length && record.end.isEmpty(); at += Long.BYTES) {
      scanner.accept(bytes, at, Math.min(Long.BYTES, length - at));
      record.passed(scanner);
    }
  }

  private WalOrigin origin(long of) {
    return new WalOrigin(major, base.end().lineage(), size, of);
  }
}
