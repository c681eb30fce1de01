package org.stellaops.backup.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.postgres.internal.wal.SegmentHeader;
import org.stellaops.backup.postgres.internal.wal.WalListener;
import org.stellaops.backup.postgres.internal.wal.WalOrigin;
import org.stellaops.backup.postgres.internal.wal.WalScanner;
import org.stellaops.backup.spi.RecordedStream;

/**
 * A transaction that was committed, as the recorded WAL tells it.
 *
 * @param timeline on which it was
 * @param end behind its record: replay up to here holds it, and no later one
 * @param xid of the transaction, its lower 32 bits; 0 if it had none
 * @param time of the commit, by the server's clock
 */
public record RecordedCommit(long timeline, Lsn end, long xid, Instant time) {
  private static final int BUFFER_BYTES = 256 << 10;

  /** Everything up to this commit, and nothing that was committed later. */
  public RecoveryPoint point() {
    return end.before();
  }

  /**
   * The commits of a timeline in a span of time, in the order of the WAL. The WAL is read and
   * checked, from the beginning of the timeline.
   *
   * @param after earliest instant, itself included
   * @param before latest instant, itself included
   * @throws BackupException.Corrupt WAL_DAMAGED where the WAL is not what a server wrote
   */
  public static List<RecordedCommit> in(
      RecordedStream stream, long timeline, Instant after, Instant before) throws IOException {
    if (after.isAfter(before)) {
      throw new IllegalArgumentException("nothing is from %s to %s".formatted(after, before));
    }
    List<RecordedCommit> found = new ArrayList<>();
    new Reading(
            stream,
            timeline,
            commit -> {
              if (!commit.time().isBefore(after) && !commit.time().isAfter(before)) {
                found.add(commit);
              }
            })
        .read(before);
    return List.copyOf(found);
  }

  /** Reads a timeline's slices one after the other. */
  private static final class Reading implements WalListener {
    private final RecordedStream stream;
    private final Coverage coverage;
    private final long timeline;
    private final Consumer<RecordedCommit> found;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private @Nullable WalOrigin origin;
    private @Nullable WalScanner scanner;

    Reading(RecordedStream stream, long timeline, Consumer<RecordedCommit> found) {
      this.stream = stream;
      this.coverage = stream.coverage();
      this.timeline = timeline;
      this.found = found;
    }

    /** All from the first on: a record may begin in one slice and end in the next. */
    void read(Instant before) throws IOException {
      for (SliceSpan slice : coverage.slices()) {
        boolean isLater = slice.firstTime().filter(t -> t.isAfter(before)).isPresent();
        if (slice.from().branch() == timeline && !isLater) {
          read(slice);
        }
      }
    }

    private void read(SliceSpan slice) throws IOException {
      long at = slice.from().offset();
      WalScanner known = scanner;
      long done = known == null ? at : known.position().position();
      if (Long.compareUnsigned(done, at) < 0) {
        known = null;
        done = at;
      }
      try (InputStream in = stream.open(slice)) {
        in.skipNBytes(Math.min(done - at, slice.lengthBytes()));
        for (int n = in.readNBytes(buffer, 0, buffer.length); n > 0; ) {
          known = known == null ? scanner(slice) : known;
          known.accept(buffer, 0, n);
          n = in.readNBytes(buffer, 0, buffer.length);
        }
      }
      scanner = known;
    }

    private WalScanner scanner(SliceSpan slice) throws IOException {
      WalOrigin known = origin;
      if (known == null) {
        known = SegmentHeader.parse(buffer, "the WAL at " + slice.from()).origin(timeline);
        origin = known;
      }
      return new WalScanner(known, new Lsn(slice.from().offset()), this);
    }

    @Override
    public void committed(Lsn end, long xid, Instant time) {
      found.accept(new RecordedCommit(timeline, end, xid, time));
    }

    @Override
    public void aborted(Lsn end, long xid, Instant time) {}

    @Override
    public void restorePoint(Lsn end, String name, Instant time) {}
  }
}
