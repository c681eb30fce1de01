package org.stellaops.backup.postgres.internal.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.internal.wal.ServerTime;

/**
 * The WAL of one timeline as it is written, by START_REPLICATION (documentation, "Streaming
 * Replication Protocol").
 *
 * <p>The server is told what was received by {@link #acknowledge} only: what is acknowledged may be
 * removed there, so nobody but the caller, who knows what is durable, can say it. A stream that is
 * not ended by {@link #finish} or {@link #stop} is ended by closing its {@link Wire}.
 */
public final class WalStream {
  /** Message 'r', four numbers and a flag. */
  private static final int STATUS_BYTES = 1 + 4 * Long.BYTES + 1;

  private final Wire wire;
  private final Clock clock;
  private Lsn next;
  private State state;
  private @Nullable List<@Nullable String> answer;

  private WalStream(Wire wire, Clock clock, Lsn from, long timeline, String slot)
      throws IOException {
    this.wire = wire;
    this.clock = clock;
    this.next = from;
    wire.send("START_REPLICATION %sPHYSICAL %s TIMELINE %d".formatted(slot, from, timeline));
    char type = wire.read();
    if (type == 'W') {
      this.state = State.STREAMING;
    } else if (type == 'T') {
      // The timeline ends where we wanted to begin: there is no COPY, only the row behind it.
      readAnswer();
      this.state = State.AT_END_WITHOUT_COPY;
    } else {
      throw wire.unexpected(type, "a stream of WAL");
    }
  }

  /**
   * Begins a stream without a slot: the server may remove WAL that was not received yet.
   *
   * @param from where the first byte is to be
   * @param clock tells the server our time
   */
  public static WalStream start(Wire wire, Clock clock, Lsn from, long timeline)
      throws IOException {
    return new WalStream(wire, clock, from, timeline, "");
  }

  /** As {@link #start(Wire, Clock, Lsn, long)}, of WAL that a slot holds until acknowledged. */
  public static WalStream start(Wire wire, Clock clock, SlotName slot, Lsn from, long timeline)
      throws IOException {
    return new WalStream(wire, clock, from, timeline, "SLOT " + slot + " ");
  }

  /** Where the next piece has to begin. */
  public Lsn position() {
    return next;
  }

  /**
   * What comes next. A message that has begun is waited for to its end, whatever {@code timeout}
   * says, but for no silence of a minute.
   */
  public WalEvent next(Duration timeout) throws IOException {
    if (state == State.AT_END || state == State.AT_END_WITHOUT_COPY) {
      return new WalEvent.EndOfTimeline();
    }
    require(state == State.STREAMING);
    try {
      return event(wire.readWithin(timeout));
    } catch (IOException e) {
      state = State.ENDED;
      throw e;
    }
  }

  /**
   * Tells the server how far its WAL has come here: behind the last byte, each.
   *
   * @param flushed the slot holds no WAL before it any more; 0/0 leaves it where it is
   */
  public void acknowledge(Lsn written, Lsn flushed, Lsn applied) throws IOException {
    tell(written, flushed, applied, false);
  }

  /** As {@link #acknowledge}, and asks the server to say something. */
  public void ask(Lsn written, Lsn flushed, Lsn applied) throws IOException {
    tell(written, flushed, applied, true);
  }

  private void tell(Lsn written, Lsn flushed, Lsn applied, boolean wantsReply) throws IOException {
    require(state == State.STREAMING);
    ByteBuffer status = ByteBuffer.allocate(STATUS_BYTES);
    status.put((byte) 'r');
    status.putLong(written.position()).putLong(flushed.position()).putLong(applied.position());
    status.putLong(ServerTime.micros(clock.instant()));
    status.put((byte) (wantsReply ? 1 : 0));
    wire.sendData(status.array());
  }

  /** Ends the stream at the end of its timeline; its session can be used on. */
  public TimelineSwitch finish() throws IOException {
    require(state == State.AT_END || state == State.AT_END_WITHOUT_COPY);
    if (state == State.AT_END) {
      end();
    }
    state = State.ENDED;
    List<@Nullable String> row = answer;
    String timeline = row == null || row.size() < 2 ? null : row.get(0);
    String at = row == null || row.size() < 2 ? null : row.get(1);
    if (timeline == null || at == null) {
      throw new BackupException.Source(
          PostgresFailure.PROTOCOL, "the end of a timeline does not say which one follows");
    }
    return new TimelineSwitch(Long.parseLong(timeline), Lsn.parse(at));
  }

  /** Ends the stream anywhere; its session can be used on. What was on its way is dropped. */
  public void stop() throws IOException {
    if (state == State.STREAMING || state == State.AT_END) {
      end();
    }
    state = State.ENDED;
  }

  private WalEvent event(char type) throws IOException {
    if (type == Wire.NOTHING) {
      return new WalEvent.Nothing();
    }
    if (type == 'c') {
      state = State.AT_END;
      return new WalEvent.EndOfTimeline();
    }
    if (type != 'd') {
      throw wire.unexpected(type, "a piece of WAL");
    }
    Body body = wire.body();
    int kind = body.int8();
    return switch (kind) {
      case 'w' -> data(body);
      case 'k' -> keepalive(body);
      default ->
          throw new BackupException.Source(
              PostgresFailure.PROTOCOL, "the stream of WAL holds a message of kind " + kind);
    };
  }

  private WalEvent data(Body body) throws IOException {
    Lsn start = new Lsn(body.int64());
    Lsn serverEnd = new Lsn(body.int64());
    long clock = body.int64();
    if (!start.equals(next)) {
      throw new BackupException.Source(
          PostgresFailure.PROTOCOL,
          "the stream of WAL does not go on: expected a piece at %s, found one at %s"
              .formatted(next, start));
    }
    WalEvent.Data data = new WalEvent.Data(start, serverEnd, ServerTime.instant(clock), body);
    next = data.end();
    return data;
  }

  private static WalEvent keepalive(Body body) throws IOException {
    Lsn serverEnd = new Lsn(body.int64());
    long clock = body.int64();
    return new WalEvent.Keepalive(serverEnd, ServerTime.instant(clock), body.int8() != 0);
  }

  /** Ends our side of the COPY, and reads the server's to its end. */
  private void end() throws IOException {
    state = State.ENDED;
    wire.limitSilence();
    wire.sendDone();
    readAnswer();
    wire.allowSilence();
  }

  /**
   * Reads what is left: pieces sent before the server heard of the end, its end of the COPY, one
   * row if another timeline follows, and one or two CommandCompletes (src/backend/replication/
   * walsender.c, StartReplication and exec_replication_command).
   */
  private void readAnswer() throws IOException {
    for (char type = wire.read(); type != 'Z'; type = wire.read()) {
      switch (type) {
        case 'D' -> answer = wire.row();
        case 'd', 'c', 'T', 'C' -> {
          // Nothing that anybody asks for.
        }
        default -> throw wire.unexpected(type, "the end of a stream of WAL");
      }
    }
  }

  private static void require(boolean isPossible) {
    if (!isPossible) {
      throw new IllegalStateException("the stream is not at a place where this can be done");
    }
  }

  private enum State {
    STREAMING,
    AT_END,
    AT_END_WITHOUT_COPY,
    ENDED
  }
}
