package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StorageRoom;
import org.stellaops.backup.plan.PlannedSource;
import org.stellaops.backup.plan.StorageThreshold;

/** Holds what a snapshot is likely to store against the room in the store; changes nothing. */
final class StoreRoom {
  private static final String ROOM = "sink: check.room";
  private static final String FULL = "sink: check.full";

  /** So many captures of a source are looked back for the largest. */
  private static final int RECENT = 7;

  private final StorageRoom room;
  private final long needed;

  private StoreRoom(StorageRoom room, long needed) {
    this.room = room;
    this.needed = needed;
  }

  /**
   * Asks the store.
   *
   * @param log the writer's, whose earlier snapshots tell what another one takes
   * @param expectedBytes of full captures, for sources that were never captured
   */
  static StoreRoom of(
      Repository repository, LogView log, List<PlannedSource> sources, long expectedBytes)
      throws IOException {
    return new StoreRoom(repository.store().room(), likely(log, sources).orElse(expectedBytes));
  }

  /** The largest of what the last captures stored; empty if a source was never captured. */
  private static OptionalLong likely(LogView log, List<PlannedSource> sources)
      throws BackupException {
    Map<SourceName, List<Long>> recent = new HashMap<>();
    List<LogView.Standing> entries = log.entries();
    for (int i = entries.size() - 1; i >= 0; i--) {
      if (SnapshotEntry.isSnapshot(entries.get(i).entry())) {
        for (CaptureHeader capture : SnapshotEntry.outline(entries.get(i).entry()).captures()) {
          recent.computeIfAbsent(capture.source(), s -> new ArrayList<>()).add(capture.newBytes());
        }
      }
    }
    long sum = 0;
    for (PlannedSource source : sources) {
      List<Long> stored = recent.getOrDefault(source.name(), List.of());
      if (stored.isEmpty()) {
        return OptionalLong.empty();
      }
      sum += stored.stream().limit(RECENT).mapToLong(Long::longValue).max().orElse(0);
    }
    return OptionalLong.of(sum);
  }

  /** What a preflight says. */
  List<CheckResult> checks(Optional<StorageThreshold> threshold) {
    List<CheckResult> results = new ArrayList<>();
    fitting().ifPresent(results::add);
    threshold.map(this::within).ifPresent(results::add);
    return results;
  }

  private Optional<CheckResult> fitting() {
    if (room.freeBytes().isEmpty() || needed == 0) {
      return Optional.empty();
    }
    long free = room.freeBytes().getAsLong();
    String evidence =
        "%s are free, a snapshot may take %s".formatted(megabytes(free), megabytes(needed));
    return Optional.of(
        free >= needed
            ? CheckResult.pass(ROOM, evidence)
            : CheckResult.warn(ROOM, evidence, CoreFailure.SINK_FULL.remedy()));
  }

  private CheckResult within(StorageThreshold threshold) {
    if (room.freeBytes().isEmpty()) {
      return CheckResult.skip(FULL, "the store cannot tell how much is free");
    }
    Optional<String> tooFull = tooFull(threshold);
    if (tooFull.isPresent()) {
      return CheckResult.fail(FULL, tooFull.get(), CoreFailure.SINK_FULL.remedy());
    }
    boolean isNearly = room.usedPercent().orElse(0) >= threshold.warnPercent();
    return isNearly
        ? CheckResult.warn(
            FULL,
            "%d %% of the store are used, a warning is due at %d %%"
                .formatted(room.usedPercent().orElse(0), threshold.warnPercent()),
            CoreFailure.SINK_FULL.remedy())
        : CheckResult.pass(FULL, megabytes(room.freeBytes().getAsLong()) + " are free");
  }

  /**
   * Refuses a snapshot for which there is no room.
   *
   * @throws BackupException.Sink SINK_FULL
   */
  void require(StorageThreshold threshold) throws BackupException.Sink {
    Optional<String> tooFull = tooFull(threshold);
    if (tooFull.isPresent()) {
      throw new BackupException.Sink(
          CoreFailure.SINK_FULL, Reason.NO_SPACE, tooFull.get() + "; nothing was stored");
    }
  }

  private Optional<String> tooFull(StorageThreshold threshold) {
    if (room.usedPercent().orElse(0) >= threshold.criticalPercent()) {
      return Optional.of(
          "%d %% of the store are used, snapshots are refused from %d %% on"
              .formatted(room.usedPercent().orElse(0), threshold.criticalPercent()));
    }
    long free = room.freeBytes().orElse(Long.MAX_VALUE);
    if (free - needed < threshold.reserveBytes()) {
      return Optional.of(
          "%s are free, a snapshot may take %s, and %s are to stay free"
              .formatted(megabytes(free), megabytes(needed), megabytes(threshold.reserveBytes())));
    }
    return Optional.empty();
  }

  private static String megabytes(long bytes) {
    return "%d MB".formatted(bytes / 1_000_000);
  }
}
