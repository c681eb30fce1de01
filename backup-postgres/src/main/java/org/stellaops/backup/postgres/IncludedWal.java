package org.stellaops.backup.postgres;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.internal.wal.WalListener;
import org.stellaops.backup.postgres.internal.wal.WalOrigin;
import org.stellaops.backup.postgres.internal.wal.WalScanner;
import org.stellaops.backup.postgres.internal.wal.WalSegmentName;

/**
 * Finds the earliest instant to which a base backup can be recovered, in the WAL that comes with
 * it: a server that is to stop at an instant stops at the first commit behind it, and must not meet
 * one before the backup is consistent.
 *
 * <p>Of a primary its clock tells what was committed before the backup began. The clock of a
 * standby tells nothing of that: it may show another time than that of the primary, which wrote the
 * times of the commits, and the backup begins at a checkpoint that may be long ago. There the time
 * of the checkpoint is what counts, which the primary wrote, too.
 */
final class IncludedWal implements WalListener {
  private static final Pattern SEGMENT = Pattern.compile("pg_wal/[0-9A-F]{24}");
  private static final String LABEL = "backup_label";

  /**
   * A checkpoint's time is cut to seconds, and taken a moment before the place from which it
   * replays; the second second is for that moment.
   */
  private static final Duration TO_CHECKPOINT = Duration.ofSeconds(2);

  private final WalOrigin origin;
  private final boolean isOfStandby;
  private @Nullable WalScanner scanner;
  private boolean isSegment;
  private boolean isBeginKnown;
  private Instant earliest = Instant.MIN;

  /**
   * @param isOfStandby whether the server that sends it was one when the backup began
   */
  IncludedWal(WalOrigin origin, boolean isOfStandby) {
    this.origin = origin;
    this.isOfStandby = isOfStandby;
  }

  /** The primary's clock at some time after the place where the backup begins. */
  void begun(Instant serverTime) {
    isBeginKnown = true;
    notBefore(serverTime);
  }

  /**
   * A member of {@code base.tar} begins.
   *
   * @param modified by the server's clock, in whole seconds; of the label: when it was sent
   */
  void begin(String path, Instant modified) {
    isSegment = SEGMENT.matcher(path).matches();
    if (path.equals(LABEL) && !isBeginKnown && !isOfStandby) {
      notBefore(modified.plusSeconds(1));
    }
    if (isSegment) {
      WalSegmentName name =
          WalSegmentName.parse(path.substring(path.indexOf('/') + 1), origin.segmentSize());
      boolean isNext = scanner != null && scanner.position().equals(name.start());
      if (!isNext && name.timeline() == origin.timeline()) {
        scanner = new WalScanner(origin, name.start(), this);
      }
    }
  }

  /**
   * Content of that member. What stands behind the end of the WAL is of an older use of the file.
   */
  void content(byte[] bytes, int offset, int length) throws IOException {
    WalScanner current = scanner;
    if (isSegment && current != null) {
      try {
        current.accept(bytes, offset, length);
      } catch (BackupException.Corrupt e) {
        scanner = null;
        isSegment = false;
      }
    }
  }

  /**
   * The instant.
   *
   * @param now by our clock, for where nothing was found
   */
  Instant recoverableFrom(Instant now) {
    return earliest.equals(Instant.MIN) ? now : earliest;
  }

  @Override
  public void committed(Lsn end, long xid, Instant time) {
    notBefore(time);
  }

  @Override
  public void aborted(Lsn end, long xid, Instant time) {
    notBefore(time);
  }

  @Override
  public void restorePoint(Lsn end, String name, Instant time) {}

  @Override
  public void checkpoint(Lsn end, Instant begun) {
    if (isOfStandby) {
      notBefore(begun.plus(TO_CHECKPOINT));
    }
  }

  private void notBefore(Instant time) {
    earliest = time.isAfter(earliest) ? time : earliest;
  }
}
