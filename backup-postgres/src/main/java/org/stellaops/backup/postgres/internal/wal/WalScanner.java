package org.stellaops.backup.postgres.internal.wal;

import java.io.IOException;
import java.util.Objects;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * Checks WAL as it passes, and tells where transactions end.
 *
 * <p>Every byte is in a page header, in a record, or in a place that the server leaves empty. A
 * page says its own address and how much of a record it goes on with; a record has a CRC and says
 * where the one before begins. So WAL that passes is whole and in order from the first record that
 * begins in it up to {@link #endOfLastRecord}. Not checked are the end of a record that began
 * before, whose CRC was passed over, and the empty places.
 *
 * <p>WAL that ends before its segment does may be padded with zeros. Nothing is looked for behind a
 * damaged place: a server, too, replays no record behind it.
 *
 * <p>Memory is constant: no record is held. For machines that write the lower byte first.
 */
public final class WalScanner {
  /** Records begin at multiples of it (MAXALIGN). */
  private static final int ALIGNMENT = 8;

  private final SegmentSize segmentSize;
  private final WalListener listener;
  private final PageHeader page;
  private final RecordHeader record = new RecordHeader();
  private final RecordEvent event;
  private final CRC32C crc = new CRC32C();

  private long position;
  private Phase phase = Phase.RECORD_HEADER;
  private boolean isInPageHeader = true;
  private boolean isFirstPage = true;

  /** Where the record that is read begins. */
  private long start;

  /** Bytes behind its header, or of the one that began before all, that are still to come. */
  private long missing;

  private boolean isEvent;
  private boolean isPreviousKnown;
  private long previous;
  private boolean isEndKnown;
  private long end;

  /**
   * @param from where the first byte is: where a page begins, best the first of a segment
   * @param listener called from {@link #accept}
   */
  public WalScanner(WalOrigin origin, Lsn from, WalListener listener) {
    if (from.position() % PageHeader.PAGE_BYTES != 0) {
      throw new IllegalArgumentException("no page of WAL begins at " + from);
    }
    this.segmentSize = origin.segmentSize();
    this.listener = listener;
    this.page = new PageHeader(origin, from);
    this.event = new RecordEvent(origin);
    this.position = from.position();
  }

  /** Where the next byte is to be. */
  public Lsn position() {
    return new Lsn(position);
  }

  /** Behind the last record that was found whole; empty before there was one. */
  public Optional<Lsn> endOfLastRecord() {
    return isEndKnown ? Optional.of(new Lsn(end)) : Optional.empty();
  }

  /** Whether only the zeros of a padded segment can follow. */
  public boolean isAtPadding() {
    return phase == Phase.ZEROS;
  }

  /**
   * Takes the bytes that follow.
   *
   * @throws BackupException.Corrupt if they are not what a server wrote; nothing is taken any more
   */
  public void accept(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (phase == Phase.FAILED) {
      throw new IllegalStateException("nothing can be known of WAL behind a damaged place");
    }
    try {
      int at = offset;
      while (at < offset + length) {
        int count = Math.min(offset + length - at, leftOfPage());
        at += isInPageHeader ? pageHeader(bytes, at, count) : content(bytes, at, count);
      }
    } catch (IOException | RuntimeException e) {
      phase = Phase.FAILED;
      throw e;
    }
  }

  private int leftOfPage() {
    return PageHeader.PAGE_BYTES - (int) (position % PageHeader.PAGE_BYTES);
  }

  /** Takes some bytes of a page's header, and says how many. */
  private int pageHeader(byte[] bytes, int offset, int count) throws BackupException.Corrupt {
    int taken = page.take(bytes, offset, count);
    position += taken;
    if (page.isWhole()) {
      isInPageHeader = false;
      beginPage();
    }
    return taken;
  }

  private void beginPage() throws BackupException.Corrupt {
    if (unfinished() == 0 && page.isBlank()) {
      phase = Phase.ZEROS;
      return;
    }
    page.check();
    if (isFirstPage) {
      isFirstPage = false;
      missing = page.remaining();
      phase = missing > 0 ? Phase.TAIL : Phase.RECORD_HEADER;
    } else if (page.dropsRecord()) {
      beginRecord();
    } else {
      page.checkContinues(unfinished());
    }
  }

  /** How much of a record the next page has to go on with. */
  private long unfinished() {
    return switch (phase) {
      case TAIL, RECORD_BODY -> missing;
      case RECORD_HEADER -> record.filled() == 0 ? 0 : record.length() - record.filled();
      default -> 0;
    };
  }

  /** Takes some bytes behind a page's header, and says how many. */
  private int content(byte[] bytes, int offset, int count) throws IOException {
    int taken =
        switch (phase) {
          case TAIL -> tail(count);
          case GAP -> gap(count);
          case RECORD_HEADER -> recordHeader(bytes, offset, count);
          case RECORD_BODY -> recordBody(bytes, offset, count);
          case SWITCHED -> switched(count);
          case ZEROS -> zeros(bytes, offset, count);
          case FAILED -> throw new AssertionError("accept() looks for it");
        };
    if (position % PageHeader.PAGE_BYTES == 0 && phase != Phase.SWITCHED && phase != Phase.ZEROS) {
      page.begin(position());
      isInPageHeader = true;
    }
    return taken;
  }

  private int tail(int count) {
    int taken = (int) Math.min(missing, count);
    position += taken;
    missing -= taken;
    if (missing == 0) {
      beginRecord();
    }
    return taken;
  }

  private int gap(int count) {
    int taken = Math.min((int) -position & ALIGNMENT - 1, count);
    position += taken;
    if (position % ALIGNMENT == 0) {
      beginRecord();
    }
    return taken;
  }

  private void beginRecord() {
    record.begin();
    phase = position % ALIGNMENT == 0 ? Phase.RECORD_HEADER : Phase.GAP;
  }

  private int recordHeader(byte[] bytes, int offset, int count) throws IOException {
    int before = record.filled();
    if (before == 0) {
      start = position;
    }
    int taken = record.take(bytes, offset, count);
    position += taken;
    if (before < RecordHeader.LENGTH_BYTES && record.filled() >= RecordHeader.LENGTH_BYTES) {
      checkLength();
    }
    if (phase == Phase.RECORD_HEADER && record.isWhole()) {
      beginBody();
    }
    return taken;
  }

  private void checkLength() throws BackupException.Corrupt {
    if (record.length() == 0 && record.isBlank()) {
      phase = Phase.ZEROS;
    } else if (!record.isLengthPossible()) {
      throw damaged("it claims %d bytes".formatted(record.length()));
    }
  }

  private void beginBody() throws IOException {
    if (isPreviousKnown && record.previous() != previous) {
      throw damaged(
          "expected the record before at %s, found that it names %s"
              .formatted(new Lsn(previous), new Lsn(record.previous())));
    }
    crc.reset();
    missing = record.length() - RecordHeader.BYTES;
    isEvent = event.begin(record);
    phase = Phase.RECORD_BODY;
    if (missing == 0) {
      endRecord();
    }
  }

  private int recordBody(byte[] bytes, int offset, int count) throws IOException {
    int taken = (int) Math.min(missing, count);
    crc.update(bytes, offset, taken);
    if (isEvent) {
      event.take(bytes, offset, taken);
    }
    position += taken;
    missing -= taken;
    if (missing == 0) {
      endRecord();
    }
    return taken;
  }

  private void endRecord() throws IOException {
    if (!record.isIntact(crc)) {
      throw damaged("its CRC differs");
    }
    previous = start;
    isPreviousKnown = true;
    end = position + ALIGNMENT - 1 & -ALIGNMENT;
    isEndKnown = true;
    boolean isSwitch = record.isSwitch();
    beginRecord();
    if (isSwitch && segmentSize.offset(new Lsn(end)) != 0) {
      phase = Phase.SWITCHED;
    }
    if (isEvent) {
      tell();
    }
  }

  private void tell() throws IOException {
    if (!event.isUnderstood()) {
      throw damaged("its CRC is right, but not its fields");
    }
    event.tell(listener, new Lsn(end), record.xid());
  }

  /** The server takes a switch to last to the end of the segment. */
  private int switched(int count) {
    position += count;
    if (segmentSize.offset(position()) == 0) {
      end = position;
      beginRecord();
    }
    return count;
  }

  private int zeros(byte[] bytes, int offset, int count) throws BackupException.Corrupt {
    for (int i = offset; i < offset + count; i++) {
      if (bytes[i] != 0) {
        throw new BackupException.Corrupt(
            PostgresFailure.WAL_DAMAGED,
            "read WAL: expected zeros behind its end at %s, found others at %s"
                .formatted(
                    endOfLastRecord().map(Lsn::toString).orElse("the page's header"),
                    new Lsn(position + i - offset)));
      }
    }
    position += count;
    return count;
  }

  private BackupException.Corrupt damaged(String how) {
    return new BackupException.Corrupt(
        PostgresFailure.WAL_DAMAGED,
        "read the record of WAL at %s: %s".formatted(new Lsn(start), how));
  }

  private enum Phase {
    TAIL,
    GAP,
    RECORD_HEADER,
    RECORD_BODY,
    SWITCHED,
    ZEROS,
    FAILED
  }
}
