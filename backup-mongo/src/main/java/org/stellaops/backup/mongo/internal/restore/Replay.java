package org.stellaops.backup.mongo.internal.restore;

import java.io.IOException;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.bson.BsonTimestamp;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.UnreachablePointException;
import org.stellaops.backup.mongo.MongoTarget.DropPolicy;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.mongo.internal.oplog.BroughtOplog;
import org.stellaops.backup.mongo.internal.oplog.OplogPlan;
import org.stellaops.backup.mongo.internal.oplog.OplogSelection;
import org.stellaops.backup.mongo.internal.oplog.OplogTimes;
import org.stellaops.backup.mongo.internal.oplog.ReplaySettings;
import org.stellaops.backup.spi.RecordedStream;
import org.stellaops.backup.spi.RestoreSession;

/**
 * What is replayed on top of a capture's documents, if anything is: the oplog that the capture
 * brings along where it was read while it changed, and behind that what was recorded. An archive of
 * mongodump's does not say of which replica set it is, so nothing that was recorded leads on from
 * it. A value.
 *
 * @param plan what is read of the recorded oplog, and where it ends
 * @param end cluster time from which on the capture is one state
 * @param bringsOplog whether the capture has entries of its own
 * @param point where it ends, for the identity of the restore; empty where nobody asked for one
 */
public record Replay(OplogPlan plan, BsonTimestamp end, boolean bringsOplog, String point) {
  /**
   * What there is to replay.
   *
   * @return empty if the documents as they were captured are what is wanted
   * @throws UnreachablePointException if the point cannot be reached
   */
  public static Optional<Replay> of(
      CapturedSource captured, Optional<RecoveryPoint> point, Optional<RecordedStream> recorded)
      throws UnreachablePointException {
    boolean bringsOplog = BroughtOplog.isOf(captured.properties());
    if (point.isEmpty() && !bringsOplog) {
      return Optional.empty();
    }
    RecoveryPoint last = point.orElse(RecoveryPoint.immediate());
    Optional<CaptureSpan> span = captured.header().span();
    if (bringsOplog && span.isEmpty() && last instanceof RecoveryPoint.Immediate) {
      BsonTimestamp end = BroughtOplog.of(captured.properties()).last();
      return Optional.of(new Replay(OplogPlan.brought(end), end, true, text(point)));
    }
    OplogPlan plan = OplogPlan.of(recorded, span, bringsOplog, last);
    if (last instanceof RecoveryPoint.Immediate && !bringsOplog) {
      return Optional.empty();
    }
    return Optional.of(
        new Replay(plan, OplogTimes.timestamp(span.orElseThrow().end()), bringsOplog, text(point)));
  }

  private static String text(Optional<RecoveryPoint> point) {
    return point.map(Object::toString).orElse("");
  }

  /** The same for what a session restores. */
  public static Optional<Replay> of(RestoreSession session) throws IOException {
    try {
      CapturedSource newest = session.chain().get(session.chain().size() - 1);
      return of(newest, session.point(), session.recorded());
    } catch (UnreachablePointException e) {
      throw new BackupException.Target(e.code(), e.found(), e);
    }
  }

  /** What it does, for a person. */
  public String describe() {
    String brought =
        bringsOplog
            ? "replay the oplog that the capture brings along, up to " + OplogTimes.text(end)
            : "";
    if (plan.slices().isEmpty()) {
      return brought.isEmpty() ? plan.describe() : brought;
    }
    String recorded = plan.describe() + (point.isEmpty() ? "" : ", to reach " + point);
    return brought.isEmpty() ? recorded : brought + "; " + recorded;
  }

  /**
   * Why it cannot go where collections of others stand: an oplog may create, rename and drop
   * collections of any name, so nothing but its own may be there.
   *
   * @param there names of what stands there
   * @param coming names of what the archive holds
   */
  public static Optional<String> obstacle(
      RestoreSettings settings, Collection<String> there, Collection<String> coming) {
    if (settings.existing() == Existing.MERGE) {
      return Optional.of("an oplog is replayed, which cannot be merged into what is there");
    }
    Set<String> others = new TreeSet<>(there);
    others.remove(RestoreMarker.COLLECTION);
    others.removeAll(coming);
    boolean staysBeside =
        settings.existing() == Existing.REPLACE && settings.drop() != DropPolicy.DATABASE;
    return staysBeside && !others.isEmpty()
        ? Optional.of(
            "an oplog is replayed, which may create, rename and drop collections of any name, and "
                + String.join(", ", others)
                + " would stay")
        : Optional.empty();
  }

  /** Bytes of the recorded oplog that are read at most. */
  public long recordedBytes() {
    return plan.slices().stream().mapToLong(s -> s.lengthBytes()).sum();
  }

  /** How entries are replayed, by one thread. */
  ReplaySettings settings(OplogSelection selection) {
    ReplaySettings all = ReplaySettings.of(selection, plan.target());
    return bringsOplog ? all.tolerantUntil(end) : all.after(end);
  }

  /** The same, but nothing behind a place. */
  Replay upTo(BsonTimestamp last) {
    return new Replay(plan.upTo(last), end, bringsOplog, point);
  }
}
