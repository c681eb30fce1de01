package org.stellaops.backup.mongo.internal.oplog;

import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import org.bson.BsonTimestamp;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.spi.StreamSession;

/**
 * Entries of one term on their way into the stream: appended piece by piece, and merged into one
 * slice when they are many. Memory is one unit.
 *
 * <p>A position is behind an entry, so a slice holds what is behind its first position up to its
 * last one and with it; also what concerned nobody, of which it has no bytes.
 */
final class OplogUnit {
  private static final int FIRST_BYTES = 64 << 10;

  private final StreamSession session;
  private byte[] bytes = new byte[FIRST_BYTES];
  private int size;
  private int durableSize;
  private int pieces;
  private Position begin;
  private Position durable;
  private Position arrived;
  private Times pending = Times.NONE;
  private Times unmerged = Times.NONE;

  /** Goes on behind a position. */
  OplogUnit(StreamSession session, Position from) {
    this.session = session;
    this.begin = from;
    this.durable = from;
    this.arrived = from;
  }

  /** Behind the last entry that was taken. */
  Position arrived() {
    return arrived;
  }

  /** The same as the server has it. */
  BsonTimestamp arrivedAt() {
    return OplogTimes.timestamp(arrived);
  }

  /** Bytes that wait to be durable. */
  int pendingBytes() {
    return size - durableSize;
  }

  /** Whether entries were taken, of interest or not, that are not durable. */
  boolean isBehind() {
    return arrived.offset() != durable.offset();
  }

  int size() {
    return size;
  }

  /** Takes what concerns the selection of an entry. */
  void take(OplogEntry entry, Optional<RawDocument> wanted) {
    wanted.ifPresent(this::add);
    arrived = OplogTimes.position(begin.lineage(), begin.branch(), entry.ts());
    Instant wall = entry.wall();
    pending = pending.with(wall);
    unmerged = unmerged.with(wall);
  }

  private void add(RawDocument document) {
    if (bytes.length - size < document.length()) {
      bytes = Arrays.copyOf(bytes, Math.max(size + document.length(), bytes.length * 2));
    }
    System.arraycopy(document.array(), document.start(), bytes, size, document.length());
    size += document.length();
  }

  /** Makes everything that was taken durable. */
  void flush() throws IOException {
    if (!isBehind()) {
      return;
    }
    int from = durableSize;
    session.append(
        new SliceSpan(durable, arrived, size - from, pending.earliest(), pending.latest()),
        out -> out.write(bytes, from, size - from));
    durable = arrived;
    durableSize = size;
    pending = Times.NONE;
    pieces++;
  }

  /** Merges what is durable, and begins anew behind it. */
  void merge() throws IOException {
    flush();
    if (pieces > 1) {
      session.merge(
          new SliceSpan(begin, durable, size, unmerged.earliest(), unmerged.latest()),
          out -> out.write(bytes, 0, size));
    }
    begin = durable;
    size = 0;
    durableSize = 0;
    pieces = 0;
    unmerged = Times.NONE;
    if (bytes.length > FIRST_BYTES) {
      bytes = new byte[FIRST_BYTES];
    }
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
