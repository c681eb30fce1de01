package org.stellaops.backup.retention;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotName;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.SourceKind;

/** Captures as schedules ask for them, one snapshot each, all by one writer. */
final class SyntheticCaptures {
  private static final String NAME = "simulated";
  private static final SourceKind KIND = SourceKind.of("simulated/1");

  /** Its numbers are the same in every JDK (java.util.Random, specified since 1.0). */
  private final Random random;

  private final PriorityQueue<Due> due =
      new PriorityQueue<>(Comparator.comparing(Due::at).thenComparing(d -> d.schedule().source()));
  private long sequence;

  SyntheticCaptures(List<CaptureSchedule> schedules, Instant start, long seed) {
    this.random = new Random(seed);
    schedules.forEach(s -> due.add(new Due(start, s, 0, null)));
  }

  /**
   * The next capture of a source.
   *
   * @param sinceFull how many good ones there were since the last full one, it included
   * @param parent the newest good one
   */
  private record Due(
      Instant at, CaptureSchedule schedule, int sinceFull, @Nullable SnapshotId parent) {
    Due missed() {
      return new Due(at.plus(schedule.every()), schedule, sinceFull, parent);
    }

    Due after(CaptureHeader capture) {
      return capture.outcome() == Outcome.GOOD
          ? new Due(
              at.plus(schedule.every()),
              schedule,
              capture.isIncremental() ? sinceFull + 1 : 1,
              capture.snapshot())
          : missed();
    }

    List<SnapshotId> parents() {
      boolean isIncrement = parent != null && sinceFull < schedule.fullEvery();
      return isIncrement ? List.of(parent) : List.of();
    }
  }

  /** Those that are taken up to an instant, oldest first. */
  List<SnapshotSummary> until(Instant now) {
    List<SnapshotSummary> taken = new ArrayList<>();
    for (Due next = due.peek(); next != null && !next.at().isAfter(now); next = due.peek()) {
      due.remove();
      boolean isMissed = random.nextDouble() < next.schedule().missedRate();
      boolean isFailed = random.nextDouble() < next.schedule().failureRate();
      if (isMissed) {
        due.add(next.missed());
      } else {
        CaptureHeader capture = capture(next, isFailed ? Outcome.DEGRADED : Outcome.GOOD);
        taken.add(snapshot(capture));
        due.add(next.after(capture));
      }
    }
    return taken;
  }

  private CaptureHeader capture(Due next, Outcome outcome) {
    sequence++;
    CaptureSchedule s = next.schedule();
    List<SnapshotId> parents = next.parents();
    long bytes = parents.isEmpty() ? s.fullBytes() : s.incrementBytes();
    return new CaptureHeader(
        new SnapshotId(NAME + "-" + sequence),
        s.source(),
        s.component(),
        KIND,
        next.at(),
        sequence,
        outcome,
        parents,
        Optional.empty(),
        bytes,
        bytes,
        bytes);
  }

  private static SnapshotSummary snapshot(CaptureHeader capture) {
    return new SnapshotSummary(
        capture.snapshot(),
        SnapshotName.of(capture.snapshot().value()),
        NAME,
        NAME,
        capture.sequence(),
        Digest.ofContent(capture.snapshot().value().getBytes(StandardCharsets.UTF_8)),
        capture.time(),
        capture.outcome(),
        Map.of(capture.component(), 1),
        List.of(capture),
        true,
        List.of());
  }
}
