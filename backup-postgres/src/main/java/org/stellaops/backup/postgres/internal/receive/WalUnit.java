package org.stellaops.backup.postgres.internal.receive;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.StreamMark;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.internal.wal.WalListener;
import org.stellaops.backup.spi.StreamSession;

/**
 * Up to 16 MiB of WAL, aligned to that: what arrived is appended to the stream piece by piece, and
 * merged into one slice when the unit is full, or has been small for long. Memory is one unit.
 */
final class WalUnit implements WalListener {
  /** What one slice holds at most, whatever the size of the cluster's segments. */
  static final int BYTES = 16 << 20;

  private final StreamSession session;
  private final String system;
  private final long timeline;
  private final byte[] bytes;
  private final List<StreamMark> pendingMarks = new ArrayList<>();

  /** Place of the first byte of {@link #bytes}. */
  private long begin;

  /** Behind the last byte that arrived. */
  private long arrived;

  /** Behind the last byte that is durable; before {@code begin} only if nothing is. */
  private long durable;

  /** Behind the last byte that was merged. */
  private long merged;

  private Times pendingTimes = Times.NONE;
  private Times unmergedTimes = Times.NONE;

  /**
   * @param from where the first byte will be
   * @param durable what is recorded of this timeline already; {@code from} if nothing is
   */
  WalUnit(StreamSession session, String system, long timeline, Lsn from, Lsn durable) {
    this(session, system, timeline, from, durable, new byte[BYTES]);
  }

  /** As the other, in a buffer of {@link #BYTES} that somebody else fills; see {@link #took}. */
  WalUnit(
      StreamSession session, String system, long timeline, Lsn from, Lsn durable, byte[] bytes) {
    this.session = session;
    this.bytes = bytes;
    this.system = system;
    this.timeline = timeline;
    this.begin = from.position();
    this.arrived = begin;
    this.merged = begin;
    this.durable = durable.position();
  }

  /** The first byte of the unit that holds a place. */
  static Lsn floor(Lsn place) {
    return new Lsn(place.position() & -BYTES);
  }

  /** How many bytes fit before the unit is full. */
  int room() {
    return (int) (floor(new Lsn(begin)).position() + BYTES - arrived);
  }

  boolean isFull() {
    return room() == 0;
  }

  /** Takes bytes, no more than there is room for. */
  void take(byte[] from, int offset, int length) {
    System.arraycopy(from, offset, bytes, (int) (arrived - begin), length);
    arrived += length;
  }

  /** So many bytes are in the buffer behind those that arrived before. */
  void took(int length) {
    arrived += length;
  }

  Lsn arrived() {
    return new Lsn(arrived);
  }

  /** Behind the last byte that the server may forget. */
  Lsn durable() {
    return new Lsn(durable);
  }

  /** Whether bytes arrived that are not durable. */
  boolean isPending() {
    return Long.compareUnsigned(arrived, durable) > 0;
  }

  /** Whether slices were appended that could be merged. */
  boolean isUnmerged() {
    long stored = Long.compareUnsigned(durable, arrived) < 0 ? durable : arrived;
    return Long.compareUnsigned(stored, merged) > 0;
  }

  @Override
  public void committed(Lsn end, long xid, Instant time) {
    happened(end, time);
  }

  @Override
  public void aborted(Lsn end, long xid, Instant time) {
    happened(end, time);
  }

  @Override
  public void restorePoint(Lsn end, String name, Instant time) {
    // No event of the slice: a server that looks for a time stops at the ends of transactions only.
    if (Long.compareUnsigned(end.position(), durable) > 0 && !name.isEmpty()) {
      pendingMarks.add(new StreamMark(name, end.in(system, timeline), time));
    }
  }

  private void happened(Lsn end, Instant time) {
    unmergedTimes = unmergedTimes.with(time);
    if (Long.compareUnsigned(end.position(), durable) > 0) {
      pendingTimes = pendingTimes.with(time);
    }
  }

  /** Makes everything that arrived durable. */
  void flush() throws IOException {
    if (!isPending()) {
      return;
    }
    long from = Long.compareUnsigned(durable, begin) < 0 ? begin : durable;
    pendingMarks.forEach(session::mark);
    pendingMarks.clear();
    session.append(
        span(from, arrived, pendingTimes),
        out -> out.write(bytes, (int) (from - begin), (int) (arrived - from)));
    durable = arrived;
    pendingTimes = Times.NONE;
  }

  /** Merges what is durable and not merged yet. */
  void merge() throws IOException {
    if (isUnmerged()) {
      long from = merged;
      long to = Long.compareUnsigned(durable, arrived) < 0 ? durable : arrived;
      session.merge(
          span(from, to, unmergedTimes),
          out -> out.write(bytes, (int) (from - begin), (int) (to - from)));
      merged = to;
      unmergedTimes = Times.NONE;
    }
  }

  /** Begins the next unit: the full one is durable. */
  void next() {
    begin = arrived;
    merged = arrived;
    unmergedTimes = Times.NONE;
  }

  private SliceSpan span(long from, long to, Times times) {
    return new SliceSpan(position(from), position(to), times.earliest(), times.latest());
  }

  private Position position(long lsn) {
    return new Lsn(lsn).in(system, timeline);
  }

  /** The earliest and the latest of some instants. */
  private record Times(Optional<Instant> earliest, Optional<Instant> latest) {
    static final Times NONE = new Times(Optional.empty(), Optional.empty());

    Times with(Instant time) {
      return new Times(
          earliest.filter(e -> e.isBefore(time)).or(() -> Optional.of(time)),
          latest.filter(l -> l.isAfter(time)).or(() -> Optional.of(time)));
    }
  }
}
