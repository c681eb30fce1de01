package org.stellaops.backup.postgres.internal.wire;

import java.time.Instant;
import org.stellaops.backup.postgres.Lsn;

/** What came of waiting for a {@link WalStream}. */
public sealed interface WalEvent {
  /** Which of the four it is. */
  Kind kind();

  /** What callers tell apart. */
  enum Kind {
    DATA,
    KEEPALIVE,
    NOTHING,
    END_OF_TIMELINE
  }

  /** A piece of WAL. Its bytes are valid until the stream is asked for the next event. */
  final class Data implements WalEvent {
    private final Lsn start;
    private final Lsn serverEnd;
    private final Instant serverTime;
    private final byte[] bytes;
    private final int offset;
    private final int length;

    Data(Lsn start, Lsn serverEnd, Instant serverTime, Body rest) {
      this.start = start;
      this.serverEnd = serverEnd;
      this.serverTime = serverTime;
      this.bytes = rest.bytes();
      this.offset = rest.position();
      this.length = rest.remaining();
    }

    @Override
    public Kind kind() {
      return Kind.DATA;
    }

    /** Place of the first byte. */
    public Lsn start() {
      return start;
    }

    /** Place behind the last byte. */
    public Lsn end() {
      return new Lsn(start.position() + length);
    }

    /** How far the server's WAL has come. */
    public Lsn serverEnd() {
      return serverEnd;
    }

    /** The server's clock when it sent this. */
    public Instant serverTime() {
      return serverTime;
    }

    /** Holds the piece from {@link #offset} on. */
    public byte[] bytes() {
      return bytes;
    }

    /** Where in {@link #bytes} the piece begins. */
    public int offset() {
      return offset;
    }

    /** How many bytes the piece has. */
    public int length() {
      return length;
    }
  }

  /**
   * The server says that it is there.
   *
   * @param serverEnd how far the server's WAL has come
   * @param serverTime the server's clock when it sent this
   * @param wantsReply whether it ends the stream unless {@link WalStream#acknowledge} follows soon
   */
  record Keepalive(Lsn serverEnd, Instant serverTime, boolean wantsReply) implements WalEvent {
    @Override
    public Kind kind() {
      return Kind.KEEPALIVE;
    }
  }

  /** No message began in the time given. */
  record Nothing() implements WalEvent {
    @Override
    public Kind kind() {
      return Kind.NOTHING;
    }
  }

  /** All of the timeline was sent: {@link WalStream#finish} says where history went on. */
  record EndOfTimeline() implements WalEvent {
    @Override
    public Kind kind() {
      return Kind.END_OF_TIMELINE;
    }
  }
}
