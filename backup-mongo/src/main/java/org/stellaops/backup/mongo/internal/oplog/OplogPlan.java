package org.stellaops.backup.mongo.internal.oplog;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.bson.BsonTimestamp;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.StreamMark;
import org.stellaops.backup.model.UnreachablePointException;
import org.stellaops.backup.mongo.internal.archive.DocumentSink;
import org.stellaops.backup.spi.RecordedStream;
import org.stellaops.backup.spi.Stopping;

/**
 * What has to be replayed on top of a capture to reach a point, or why it cannot be reached: known
 * before anything is written.
 */
public final class OplogPlan {
  private final Optional<SliceReading> reading;
  private final ReplayTarget target;

  private OplogPlan(Optional<SliceReading> reading, ReplayTarget target) {
    this.reading = reading;
    this.target = target;
  }

  /**
   * Nothing but what a capture brings along.
   *
   * @param end of that
   */
  public static OplogPlan brought(BsonTimestamp end) {
    return new OplogPlan(Optional.empty(), ReplayTarget.at(end, true));
  }

  /**
   * Looks at what is recorded, if anything is, and reads none of it.
   *
   * @param base of the capture; one that was not held together has none
   */
  public static OplogPlan of(
      Optional<RecordedStream> stream,
      Optional<CaptureSpan> base,
      boolean bringsOplog,
      RecoveryPoint point)
      throws UnreachablePointException {
    CaptureSpan span =
        base.orElseThrow(
            () ->
                new UnreachablePointException(
                    CoreFailure.STREAM_MISSING,
                    "the capture does not say where in an oplog it is"));
    if (point instanceof RecoveryPoint.Immediate) {
      return brought(OplogTimes.timestamp(span.end()));
    }
    RecordedStream recorded =
        stream.orElseThrow(
            () ->
                new UnreachablePointException(
                    CoreFailure.STREAM_MISSING,
                    "no oplog of replica set %s is recorded here; hint: restore the capture as it is"
                        .formatted(span.end().lineage())));
    return of(recorded, span, bringsOplog, point);
  }

  /**
   * Looks at what is recorded, and reads none of it.
   *
   * @param base of the capture that is replayed upon; its end is in it
   * @param bringsOplog whether the capture has its own part of the oplog up to its end
   */
  public static OplogPlan of(
      RecordedStream stream, CaptureSpan base, boolean bringsOplog, RecoveryPoint point)
      throws UnreachablePointException {
    BsonTimestamp end = OplogTimes.timestamp(base.end());
    if (point instanceof RecoveryPoint.Immediate) {
      return brought(end);
    }
    BsonTimestamp from =
        bringsOplog ? new BsonTimestamp(end.getValue() + 1) : OplogTimes.timestamp(base.start());
    SliceReading reading = SliceReading.of(stream, from);
    BsonTimestamp reached = reading.end().orElse(new BsonTimestamp(from.getValue() - 1));
    if (reached.compareTo(end) < 0) {
      throw new UnreachablePointException(
          CoreFailure.POINT_TOO_LATE,
          "nothing is recorded from %s on, where the capture needs it; there is %s"
              .formatted(OplogTimes.text(from), stream.coverage().ranges()));
    }
    return new OplogPlan(
        Optional.of(reading), behind(end, new Reach(stream, base, reading, reached).target(point)));
  }

  /** What the base needs to be one state is never left out. */
  private static ReplayTarget behind(BsonTimestamp end, ReplayTarget target) {
    return (ts, wall) -> ts.compareTo(end) > 0 && target.isBehind(ts, wall);
  }

  /** How far can be replayed. */
  private record Reach(
      RecordedStream stream, CaptureSpan base, SliceReading reading, BsonTimestamp reached) {
    ReplayTarget target(RecoveryPoint point) throws UnreachablePointException {
      if (point instanceof RecoveryPoint.AtTime at) {
        return atTime(at);
      }
      if (point instanceof RecoveryPoint.AtPosition at) {
        return at(new BsonTimestamp(at.offset()), at.isInclusive());
      }
      if (point instanceof RecoveryPoint.AtMark at) {
        return atMark(at);
      }
      if (!(point instanceof RecoveryPoint.Latest)) {
        throw new UnreachablePointException(
            CoreFailure.POINT_UNKNOWN, "an oplog has no such point as " + point);
      }
      requireWhole(point);
      return ReplayTarget.latest();
    }

    private ReplayTarget at(BsonTimestamp ts, boolean isInclusive)
        throws UnreachablePointException {
      int order = ts.compareTo(OplogTimes.timestamp(base.end()));
      if (order < 0 || (order == 0 && !isInclusive)) {
        throw new UnreachablePointException(
            CoreFailure.POINT_TOO_EARLY,
            "the earliest place that this capture leads to is " + base.end().text());
      }
      if (ts.compareTo(reached) > 0) {
        throw new UnreachablePointException(
            CoreFailure.POINT_TOO_LATE,
            "the oplog is recorded without a gap up to " + OplogTimes.text(reached));
      }
      return ReplayTarget.at(ts, isInclusive);
    }

    private ReplayTarget atMark(RecoveryPoint.AtMark at) throws UnreachablePointException {
      StreamMark mark =
          stream.coverage().marks().stream()
              .filter(m -> m.name().equals(at.name()))
              .findFirst()
              .orElseThrow(
                  () ->
                      new UnreachablePointException(
                          CoreFailure.POINT_UNKNOWN, "not recorded: " + at));
      return at(OplogTimes.timestamp(mark.at()), true);
    }

    private ReplayTarget atTime(RecoveryPoint.AtTime at) throws UnreachablePointException {
      if (at.time().isBefore(base.recoverableFrom())) {
        throw new UnreachablePointException(
            CoreFailure.POINT_TOO_EARLY,
            "the earliest instant that this capture leads to is " + base.recoverableFrom());
      }
      Instant latest =
          reading.slices().stream()
              .flatMap(s -> s.lastTime().stream())
              .max(Instant::compareTo)
              .orElse(base.recoverableFrom());
      if (latest.isBefore(at.time())) {
        requireWhole(at);
        throw new UnreachablePointException(
            CoreFailure.POINT_TOO_LATE,
            "the latest instant that is recorded is %s; hint: the latest point is everything up to there"
                .formatted(latest));
      }
      return ReplayTarget.at(at.time(), at.isInclusive());
    }

    /** What is behind a gap must not be taken for the end. */
    private void requireWhole(RecoveryPoint point) throws UnreachablePointException {
      Optional<SliceSpan> beyond =
          stream.coverage().slices().stream()
              .filter(s -> Long.compareUnsigned(s.to().offset(), reached.getValue()) > 0)
              .findFirst();
      if (beyond.isPresent()) {
        throw new UnreachablePointException(
            CoreFailure.POINT_CUT_OFF,
            "%s lies behind a gap: the oplog is recorded without one up to %s, and again from %s"
                .formatted(point, OplogTimes.text(reached), beyond.get().from()));
      }
    }
  }

  /** Where the replay ends. */
  public ReplayTarget target() {
    return target;
  }

  /** The same, but nothing behind a place. */
  public OplogPlan upTo(BsonTimestamp last) {
    ReplayTarget bound = ReplayTarget.at(last, true);
    return new OplogPlan(
        reading, (ts, wall) -> bound.isBehind(ts, wall) || target.isBehind(ts, wall));
  }

  /** What will be read, in order. */
  public List<SliceSpan> slices() {
    return reading.map(SliceReading::slices).orElse(List.of());
  }

  /** For a person. */
  public String describe() {
    List<SliceSpan> slices = slices();
    return slices.isEmpty()
        ? "replay nothing of the recorded oplog"
        : "replay the oplog from %s, up to %s at most"
            .formatted(slices.get(0).from(), slices.get(slices.size() - 1).to());
  }

  /**
   * Replays it, behind what the capture brings along, and writes what is left.
   *
   * @throws BackupException.Corrupt if a slice is not what was recorded
   * @throws BackupException.Target if an entry cannot be replayed
   */
  public ReplayCounts run(OplogReplay replay, Stopping stopping) throws IOException {
    if (reading.isPresent()) {
      DocumentSink stoppable =
          (buffer, offset, length) -> {
            stopping.check();
            replay.document(buffer, offset, length);
          };
      reading.get().copyTo(stoppable, replay::isBehindTarget);
    }
    return replay.finish();
  }
}
