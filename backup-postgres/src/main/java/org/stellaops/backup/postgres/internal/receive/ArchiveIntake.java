package org.stellaops.backup.postgres.internal.receive;

import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.internal.receive.ArchiveEndpoint.Arrival;
import org.stellaops.backup.postgres.internal.wal.SegmentHeader;
import org.stellaops.backup.postgres.internal.wal.TimelineHistory;
import org.stellaops.backup.postgres.internal.wal.WalFile;
import org.stellaops.backup.postgres.internal.wal.WalListener;
import org.stellaops.backup.postgres.internal.wal.WalOrigin;
import org.stellaops.backup.postgres.internal.wal.WalScanner;
import org.stellaops.backup.postgres.internal.wal.WalSegmentName;
import org.stellaops.backup.spi.StreamSession;

/*
 * A server archives a timeline's segments in their order, each again and again until it is accepted.
 * So whatever is not as it should be is refused, and nothing is lost by that as long as the server
 * has room. That goes for a hole, too: the segment before it is still to come, or was lost while
 * archiving was off, and then a human has to know before anything behind it is taken for recoverable.
 *
 * A hole is a segment that begins behind the end of its timeline's recorded WAL; on a timeline that
 * is new, behind the end of the one before. Older segments, and older timelines, leave no hole: they
 * go before what is there.
 */
/** Puts the files of an archive into a stream, each checked before any of it is stored. */
final class ArchiveIntake implements WalListener {
  private final StreamSession session;
  private final ArchiveSettings settings;
  private final byte[] buffer;
  private @Nullable WalUnit unit;
  private @Nullable Scanning scanning;

  ArchiveIntake(StreamSession session, ArchiveSettings settings, byte[] buffer) {
    this.session = session;
    this.settings = settings;
    this.buffer = buffer;
  }

  /** A scanner, and whose WAL it reads: it goes on where the segment before ended. */
  private record Scanning(WalOrigin origin, WalScanner scanner) {}

  /** Why a file is not accepted. */
  private static final class Unwelcome extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient ArchiveAnswer answer;
    private final transient FailureCode code;

    Unwelcome(ArchiveAnswer answer, FailureCode code) {
      super(answer.text());
      this.answer = answer;
      this.code = code;
    }
  }

  /**
   * Stores what is in the buffer.
   *
   * @throws IOException if it cannot be stored now, whatever it is
   */
  ArchiveAnswer take(Arrival arrival) throws IOException {
    try {
      return store(arrival);
    } catch (Unwelcome e) {
      session.finding(new Finding(e.code, session.stream().value(), e.answer.text()));
      return e.answer;
    }
  }

  private ArchiveAnswer store(Arrival arrival) throws IOException, Unwelcome {
    WalFile file = arrival.file().file();
    if (file instanceof WalFile.Segment segment) {
      if (arrival.offset() == 0) {
        begin(segment.name(), arrival.file().bytes());
      }
      return storeSlice(segment.name(), arrival);
    }
    if (file instanceof WalFile.History history) {
      return storeHistory(history, arrival.length());
    }
    if (file instanceof WalFile.PartialSegment) {
      return storePartial(arrival);
    }
    // A backup's label: the base backup has one inside, and nothing looks for it in an archive.
    return ArchiveAnswer.NOT_NEEDED;
  }

  private void begin(WalSegmentName name, long bytes) throws IOException, Unwelcome {
    unit = null;
    SegmentHeader header = header(name.toString());
    if (header.segmentSize().bytes() != bytes) {
      throw new Unwelcome(
          ArchiveAnswer.malformed(
              "expected %d bytes of %s, found %d"
                  .formatted(header.segmentSize().bytes(), name, bytes)),
          PostgresFailure.WAL_DAMAGED);
    }
    requireSystem(name.toString(), header.systemIdentifier());
    closeHole(name, header.systemIdentifier());
    unit =
        new WalUnit(
            session,
            header.systemIdentifier(),
            name.timeline(),
            name.start(),
            recordedIn(name),
            buffer);
    goOn(header.origin(name.timeline()), name.start());
  }

  private SegmentHeader header(String name) throws Unwelcome {
    try {
      return SegmentHeader.parse(buffer, name);
    } catch (BackupException.Corrupt e) {
      throw damaged(e);
    }
  }

  private void requireSystem(String name, String system) throws Unwelcome {
    Optional<String> other =
        Stream.of(session.durable().map(Position::lineage), settings.system())
            .flatMap(Optional::stream)
            .filter(expected -> !expected.equals(system))
            .findFirst();
    if (other.isPresent()) {
      throw new Unwelcome(
          ArchiveAnswer.conflict(
              "%s is of system %s, the stream %s is of system %s"
                  .formatted(name, system, session.stream(), other.get())),
          CoreFailure.STREAM_LINEAGE);
    }
  }

  /** Whose WAL is expected; empty before the first segment. */
  private Optional<String> system() {
    return session.durable().map(Position::lineage).or(settings::system);
  }

  /** Refuses a segment that leaves something out, or owns up to it. */
  private void closeHole(WalSegmentName name, String system) throws IOException, Unwelcome {
    Optional<Position> end = session.durable().filter(d -> d.branch() <= name.timeline());
    if (end.isEmpty() || name.start().compareTo(new Lsn(end.get().offset())) <= 0) {
      return;
    }
    String found =
        "%s begins at %s, the stream %s holds the WAL up to %s"
            .formatted(name, name.start(), session.stream(), end.get());
    if (!settings.isGapAccepted()) {
      throw new Unwelcome(ArchiveAnswer.conflict(found), CoreFailure.STREAM_GAP);
    }
    session.gap(
        new StreamGap(
            new Lsn(end.get().offset()).in(system, name.timeline()),
            name.start().in(system, name.timeline()),
            "it was not archived"));
    session.finding(new Finding(CoreFailure.STREAM_GAP, session.stream().value(), found));
  }

  /** What of a segment was streamed before archiving took over is not appended once more. */
  private Lsn recordedIn(WalSegmentName name) {
    return session
        .durable()
        .filter(d -> d.branch() == name.timeline())
        .map(d -> new Lsn(d.offset()))
        .filter(d -> d.compareTo(name.start()) > 0 && d.compareTo(name.end()) < 0)
        .orElse(name.start());
  }

  /** A record may begin in one segment and end in the next. */
  private void goOn(WalOrigin origin, Lsn start) {
    Scanning before = scanning;
    boolean isNext =
        before != null
            && before.origin().equals(origin)
            && before.scanner().position().equals(start)
            && !before.scanner().isAtPadding();
    if (!isNext) {
      scanning = new Scanning(origin, new WalScanner(origin, start, this));
    }
  }

  private ArchiveAnswer storeSlice(WalSegmentName name, Arrival arrival)
      throws IOException, Unwelcome {
    WalUnit slice = unit;
    Scanning scan = scanning;
    if (slice == null || scan == null) {
      throw new AssertionError("a good answer to the bytes before leaves both: " + name);
    }
    slice.took(arrival.length());
    try {
      scan.scanner().accept(buffer, 0, arrival.length());
    } catch (BackupException.Corrupt e) {
      scanning = null;
      throw damaged(e);
    }
    append(slice);
    if (slice.isFull()) {
      slice.next();
    }
    return ArchiveAnswer.STORED;
  }

  private void append(WalUnit slice) throws IOException, Unwelcome {
    boolean isStored = false;
    try {
      slice.flush();
      slice.merge();
      isStored = true;
    } catch (BackupException e) {
      throw unwelcome(e);
    } finally {
      scanning = isStored ? scanning : null;
    }
  }

  private ArchiveAnswer storeHistory(WalFile.History file, int length)
      throws IOException, Unwelcome {
    byte[] content = Arrays.copyOf(buffer, length);
    try {
      TimelineHistory.parse(file.timeline(), content);
    } catch (BackupException.Corrupt e) {
      throw damaged(e);
    }
    String system =
        system()
            .orElseThrow(
                () ->
                    new Unwelcome(
                        ArchiveAnswer.conflict(
                            "%s does not say of which system it is, and the stream %s is empty; hint: name the system, PostgresWalArchive.ofSystem"
                                .formatted(file, session.stream())),
                        CoreFailure.STREAM_LINEAGE));
    companion(system, file.toString(), length);
    return ArchiveAnswer.STORED;
  }

  /** Kept as it is: what is behind its last record was never written by this timeline. */
  private ArchiveAnswer storePartial(Arrival arrival) throws IOException, Unwelcome {
    String name = arrival.file().file().toString();
    String system = system().orElse("");
    if (arrival.offset() == 0) {
      system = header(name).systemIdentifier();
      requireSystem(name, system);
    }
    boolean isOnePiece = arrival.file().bytes() <= buffer.length;
    String part = isOnePiece ? name : name + "." + arrival.offset() / buffer.length;
    companion(system, part, arrival.length());
    return ArchiveAnswer.STORED;
  }

  private void companion(String system, String name, int length) throws IOException, Unwelcome {
    try {
      session.companion(system, name, out -> out.write(buffer, 0, length));
    } catch (BackupException e) {
      throw unwelcome(e);
    }
  }

  /** What the file is to blame for; everything else goes on as it came. */
  private static Unwelcome unwelcome(BackupException e) throws BackupException {
    boolean isOfFile =
        e.code() == CoreFailure.STREAM_DIFFERS
            || e.code() == CoreFailure.STREAM_LINEAGE
            || e.code() == CoreFailure.STREAM_GAP;
    if (!isOfFile) {
      throw e;
    }
    return new Unwelcome(ArchiveAnswer.conflict(e.detail()), e.code());
  }

  private static Unwelcome damaged(BackupException.Corrupt e) {
    return new Unwelcome(ArchiveAnswer.damaged(e.detail()), e.code());
  }

  @Override
  public void committed(Lsn end, long xid, Instant time) {
    current().committed(end, xid, time);
  }

  @Override
  public void aborted(Lsn end, long xid, Instant time) {
    current().aborted(end, xid, time);
  }

  @Override
  public void restorePoint(Lsn end, String name, Instant time) {
    current().restorePoint(end, name, time);
  }

  private WalUnit current() {
    WalUnit slice = unit;
    if (slice == null) {
      throw new AssertionError("nothing is scanned but a segment's bytes");
    }
    return slice;
  }
}
