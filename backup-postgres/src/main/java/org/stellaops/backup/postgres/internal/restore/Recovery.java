package org.stellaops.backup.postgres.internal.restore;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.UnreachablePointException;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.internal.wal.SegmentSize;
import org.stellaops.backup.postgres.internal.wal.WalSegmentName;
import org.stellaops.backup.spi.RecordedStream;
import org.stellaops.backup.spi.RestoreSession;

/** How a restored base backup is taken on to a point, by WAL that was recorded behind it. */
public final class Recovery {
  private static final String SEGMENT_SIZE = "wal-segment-size";

  private final CapturedSource captured;
  private final Optional<RecordedStream> recorded;
  private final Optional<Long> timeline;

  /**
   * @param captured the newest of what is restored
   * @param recorded what there is of its cluster's WAL
   * @param timeline to follow; empty: the newest
   */
  public Recovery(
      CapturedSource captured, Optional<RecordedStream> recorded, Optional<Long> timeline) {
    this.captured = captured;
    this.recorded = recorded;
    this.timeline = timeline;
  }

  /** What has to be replayed. */
  public Replay to(RecoveryPoint point) throws IOException, UnreachablePointException {
    CaptureSpan span =
        captured
            .header()
            .span()
            .orElseThrow(() -> missing("the capture does not say where in the WAL it is"));
    if (recorded.isPresent()) {
      return new ReplayPlanner(recorded.get(), span, size(), major(), timeline).to(point);
    }
    if (point instanceof RecoveryPoint.Immediate) {
      return ReplayPlanner.immediate(span);
    }
    throw missing(
        "no WAL of system %s is recorded here; hint: restore the capture as it is"
            .formatted(span.end().lineage()));
  }

  private static UnreachablePointException missing(String why) {
    return new UnreachablePointException(CoreFailure.STREAM_MISSING, why);
  }

  private SegmentSize size() {
    return Optional.ofNullable(captured.properties().get(SEGMENT_SIZE))
        .map(SegmentSize::parse)
        .orElse(SegmentSize.DEFAULT);
  }

  /** {@code 17.11} and {@code 18beta2} begin with it. */
  private int major() {
    String version = captured.versions().getOrDefault("postgres", "0");
    return Integer.parseInt(version.replaceAll("[^0-9].*", ""));
  }

  /**
   * Puts the WAL and the settings into a data directory that was unpacked.
   *
   * @throws UnreachablePointException only if what is recorded is not what it was when the restore
   *     was planned
   */
  void stage(RestoreSession session, Path data, RecoveryPoint point)
      throws IOException, UnreachablePointException {
    Replay replay = to(point);
    Path directory = data.resolve(RecoverySettings.WAL_DIRECTORY);
    Directories.create(directory);
    if (recorded.isPresent() && !replay.pieces().isEmpty()) {
      String system = captured.header().span().orElseThrow().end().lineage();
      new StagedWal(session, recorded.get(), directory, size()).write(replay, system, major());
      removeBehind(data.resolve("pg_wal"), replay.pieces().get(0).from());
    }
    RecoverySettings.write(data, replay);
  }

  /**
   * Removes what the base backup brought along of segments that are staged: where those end, the
   * server would look there, and may find more than is wanted.
   */
  private void removeBehind(Path directory, Lsn staged) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "[0-9A-F]*")) {
      for (Path file : files) {
        String name = String.valueOf(file.getFileName());
        if (name.matches("[0-9A-F]{24}")
            && WalSegmentName.parse(name, size()).start().compareTo(staged) >= 0) {
          Files.delete(file);
        }
      }
    }
  }
}
