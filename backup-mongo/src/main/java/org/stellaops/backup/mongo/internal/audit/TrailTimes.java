package org.stellaops.backup.mongo.internal.audit;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import org.bson.RawBsonDocument;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.spi.Stopping;

/**
 * When the entries of a trail were written: how many, from when to when, and where it is silent.
 */
public final class TrailTimes {
  private final RawDatabase database;
  private final Trail trail;
  private final Instant from;
  private final Instant cut;
  private final Stopping stopping;
  private long entries;
  private long inWindow;
  private long undated;
  private long behindCut;
  private long backwards;
  private @Nullable Instant first;
  private @Nullable Instant last;
  private @Nullable Instant gapFrom;
  private @Nullable Instant gapTo;

  /** Of a client that outlives this. */
  public TrailTimes(
      RawDatabase database, Trail trail, Instant from, Instant cut, Stopping stopping) {
    this.database = database;
    this.trail = trail;
    this.from = from;
    this.cut = cut;
    this.stopping = stopping;
  }

  /**
   * What was found.
   *
   * @param entries of the whole trail
   * @param inWindow entries from the beginning of the window to the cut
   * @param undated entries without a date
   * @param behindCut entries of a time after the cut
   * @param backwards entries that are older than one with a smaller {@code _id}
   */
  public record Found(
      long entries,
      long inWindow,
      long undated,
      long behindCut,
      long backwards,
      @Nullable Instant first,
      @Nullable Instant last,
      @Nullable Instant gapFrom,
      @Nullable Instant gapTo) {}

  /** Reads it twice: by time, and in the order in which it was written. */
  public Found read() throws IOException {
    try (SortedDocuments byTime =
        new SortedDocuments(database, trail.collection(), trail.timeField(), "", stopping)) {
      for (RawBsonDocument entry = byTime.current(); entry != null; entry = byTime.current()) {
        entries++;
        Instant time = Fields.time(entry, trail.timeField()).orElse(null);
        if (time == null) {
          undated++;
        } else {
          add(time);
        }
        byTime.advance();
      }
    }
    readInOrderOfWriting();
    return new Found(entries, inWindow, undated, behindCut, backwards, first, last, gapFrom, gapTo);
  }

  private void add(Instant time) {
    first = first == null ? time : first;
    behindCut += time.isAfter(cut) ? 1 : 0;
    boolean isInWindow = !time.isBefore(from) && !time.isAfter(cut);
    inWindow += isInWindow ? 1 : 0;
    Instant before = last;
    if (before != null && isInWindow && isLonger(before, time)) {
      gapFrom = before;
      gapTo = time;
    }
    last = time;
  }

  private boolean isLonger(Instant before, Instant time) {
    return gapFrom == null
        || gapTo == null
        || Duration.between(before, time).compareTo(Duration.between(gapFrom, gapTo)) > 0;
  }

  private void readInOrderOfWriting() throws IOException {
    Instant newest = Instant.MIN;
    try (SortedDocuments written =
        new SortedDocuments(database, trail.collection(), "_id", "", stopping)) {
      boolean isOrdered = written.key().isObjectId() || written.key().isNumber();
      while (isOrdered && written.current() != null) {
        RawBsonDocument entry = written.current();
        Instant time = entry == null ? null : Fields.time(entry, trail.timeField()).orElse(null);
        if (time != null) {
          backwards += time.isBefore(newest) ? 1 : 0;
          newest = time.isAfter(newest) ? time : newest;
        }
        written.advance();
      }
    }
  }
}
