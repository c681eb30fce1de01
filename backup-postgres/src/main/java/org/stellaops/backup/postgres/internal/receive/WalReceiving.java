package org.stellaops.backup.postgres.internal.receive;

import java.io.Closeable;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresConnection;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.internal.wal.SegmentSize;
import org.stellaops.backup.postgres.internal.wal.TimelineHistory;
import org.stellaops.backup.postgres.internal.wal.WalOrigin;
import org.stellaops.backup.postgres.internal.wal.WalScanner;
import org.stellaops.backup.postgres.internal.wire.HistoryFile;
import org.stellaops.backup.postgres.internal.wire.ReplicationSlots;
import org.stellaops.backup.postgres.internal.wire.SlotState;
import org.stellaops.backup.postgres.internal.wire.SystemIdentity;
import org.stellaops.backup.postgres.internal.wire.TimelineSwitch;
import org.stellaops.backup.postgres.internal.wire.WalEvent;
import org.stellaops.backup.postgres.internal.wire.WalStream;
import org.stellaops.backup.postgres.internal.wire.Wire;
import org.stellaops.backup.spi.StreamSession;

/**
 * One session of receiving WAL: from where the stream ends, along every timeline that follows,
 * until it is stopped. The server is told to forget only what the stream has made durable.
 */
public final class WalReceiving {
  private static final int OLDEST_MAJOR = 15;

  /** How often it is looked whether to stop. */
  private static final Duration LOOK_EVERY = Duration.ofMillis(200);

  /** How often the server hears of us without asking: less than its wal_sender_timeout. */
  private static final Duration STATUS_EVERY = Duration.ofSeconds(10);

  private static final Duration WATCH_EVERY = Duration.ofSeconds(10);

  /** Longest time that a server takes to answer a command. */
  private static final Duration ANSWER_WITHIN = Duration.ofSeconds(60);

  private final PostgresConnection connection;
  private final ReceiveSettings settings;
  private final StreamSession session;
  private final Clock clock;

  /** For one call of {@code follow}. */
  public WalReceiving(
      PostgresConnection connection, ReceiveSettings settings, StreamSession session) {
    this.connection = connection;
    this.settings = settings;
    this.session = session;
    this.clock = clockOf(session.clock());
  }

  private static Clock clockOf(InstantSource source) {
    return new Clock() {
      @Override
      public ZoneId getZone() {
        return ZoneOffset.UTC;
      }

      @Override
      public Clock withZone(ZoneId zone) {
        return this;
      }

      @Override
      public Instant instant() {
        return source.instant();
      }
    };
  }

  /** Receives until the session stops. */
  public void run() throws IOException {
    SlotWatch watch = new SlotWatch(connection, settings.slot(), session);
    Closeable watching = session.every(WATCH_EVERY, watch);
    try (Wire wire = open()) {
      wire.requireAnswersWithin(ANSWER_WITHIN);
      Server server = server(wire);
      requireLineage(server);
      Start start = prepare(wire, server);
      // From here on stopping is looked for, so that what has arrived is stored first.
      wire.endOnCloseOnly();
      for (Optional<Start> next = Optional.of(start); next.isPresent(); ) {
        next = receive(wire, server, next.get());
      }
    } finally {
      watching.close();
      watch.close();
    }
  }

  private Wire open() throws IOException {
    Optional<String> name = settings.standbyName();
    return name.isPresent()
        ? Wire.open(connection, name.get(), session.stopping(), notice -> {})
        : Wire.open(connection, session.stopping(), notice -> {});
  }

  /** What has to be known of a server. */
  private record Server(SystemIdentity system, int major, SegmentSize segmentSize) {
    WalOrigin origin(long timeline) {
      return new WalOrigin(major, system.systemIdentifier(), segmentSize, timeline);
    }
  }

  private Server server(Wire wire) throws IOException {
    SystemIdentity system = wire.identifySystem();
    int major = Integer.parseInt(wire.show("server_version_num")) / 10_000;
    if (major < OLDEST_MAJOR) {
      throw new BackupException.Refused(
          PostgresFailure.UNSUPPORTED_VERSION,
          "%s runs PostgreSQL %d; %d is the oldest whose WAL can be received"
              .formatted(connection, major, OLDEST_MAJOR));
    }
    return new Server(system, major, SegmentSize.parse(wire.show("wal_segment_size")));
  }

  private void requireLineage(Server server) throws BackupException.Refused {
    Optional<Position> durable = session.durable();
    String system = server.system().systemIdentifier();
    if (durable.isPresent() && !durable.get().lineage().equals(system)) {
      throw new BackupException.Refused(
          CoreFailure.STREAM_LINEAGE,
          "%s is system %s, the stream %s holds the WAL of system %s"
              .formatted(connection, system, session.stream(), durable.get().lineage()));
    }
  }

  /**
   * Where to receive from.
   *
   * @param timeline which one
   * @param from first byte to ask for
   * @param durable what is recorded of the timeline already; {@code from} if nothing is
   */
  private record Start(long timeline, Lsn from, Lsn durable) {}

  /** Makes the slot if there is none, and finds out where to begin. */
  private Start prepare(Wire wire, Server server) throws IOException {
    Lsn held = held(wire, server);
    Optional<Position> durable = session.durable();
    long timeline = server.system().timeline();
    if (timeline > 1) {
      storeHistory(server, wire.timelineHistory(timeline));
    }
    return durable.isEmpty()
        ? start(timeline, server.segmentSize().floor(held), Optional.empty())
        : wanted(wire, server, durable.get());
  }

  private static Start start(long timeline, Lsn from, Optional<Lsn> durable) {
    return new Start(timeline, from, durable.orElse(from));
  }

  /** The oldest WAL that the slot holds. */
  private Lsn held(Wire wire, Server server) throws IOException {
    requireBound(wire);
    ReplicationSlots slots = new ReplicationSlots(wire);
    SlotState state = slots.read(settings.slot());
    if (state.kind() == SlotState.Kind.UNRESERVED) {
      // It holds nothing, and never will again.
      session.finding(
          new Finding(
              PostgresFailure.SLOT_LOST,
              settings.slot().value(),
              "the server had given it up; it was made anew"));
      slots.drop(settings.slot());
    }
    if (state.kind() != SlotState.Kind.RESERVED) {
      slots.create(settings.slot());
      state = slots.read(settings.slot());
    }
    return state instanceof SlotState.Reserved reserved
        ? reserved.restart()
        : server.system().flushed();
  }

  /** A receiver that is gone would let the server keep WAL until its disk is full. */
  private void requireBound(Wire wire) throws IOException {
    if (!settings.isUnboundedAllowed() && wire.show("max_slot_wal_keep_size").equals("-1")) {
      throw new BackupException.Refused(
          PostgresFailure.SLOT_UNBOUNDED,
          "%s has max_slot_wal_keep_size = -1: a receiver that is gone could fill its disk; hint: ALTER SYSTEM SET max_slot_wal_keep_size = '64GB'; SELECT pg_reload_conf();"
              .formatted(connection));
    }
  }

  /** On the timeline that was recorded last, as far as the server's history has it. */
  private Start wanted(Wire wire, Server server, Position durable) throws IOException {
    long timeline = durable.branch();
    long serverTimeline = server.system().timeline();
    Lsn end = new Lsn(durable.offset());
    if (timeline > serverTimeline) {
      throw new BackupException.Refused(
          PostgresFailure.TIMELINE_BEHIND,
          "%s is on timeline %d, the stream %s holds timeline %d: it is an older copy of the cluster, or was restored without the stream's history"
              .formatted(connection, serverTimeline, session.stream(), timeline));
    }
    if (timeline == serverTimeline) {
      return start(timeline, WalUnit.floor(end), Optional.of(end));
    }
    TimelineHistory history =
        TimelineHistory.parse(serverTimeline, wire.timelineHistory(serverTimeline).content());
    if (history.holds(timeline, end)) {
      return start(timeline, WalUnit.floor(end), Optional.of(end));
    }
    return branchedOff(server, history, timeline);
  }

  /** The server left our timeline before the place up to which it is recorded. */
  private Start branchedOff(Server server, TimelineHistory history, long timeline) {
    long next = history.timeline();
    Lsn at = server.system().flushed();
    for (TimelineHistory.Ancestor ancestor : history.ancestors()) {
      if (ancestor.timeline() >= timeline) {
        at = ancestor.end();
        next = nextAfter(history, ancestor.timeline());
        break;
      }
    }
    return start(next, server.segmentSize().floor(at), Optional.empty());
  }

  private static long nextAfter(TimelineHistory history, long timeline) {
    return history.ancestors().stream()
        .mapToLong(TimelineHistory.Ancestor::timeline)
        .filter(t -> t > timeline)
        .findFirst()
        .orElse(history.timeline());
  }

  /** The server has removed WAL that was asked for; it may have been recorded all the same. */
  private Start afterGap(Wire wire, Server server, Start wanted) throws IOException {
    Lsn oldest = server.segmentSize().floor(held(wire, server));
    boolean isLost = oldest.compareTo(wanted.durable()) > 0;
    long timeline = server.system().timeline();
    if (!isLost) {
      return start(wanted.timeline(), oldest, Optional.of(wanted.durable()));
    }
    String system = server.system().systemIdentifier();
    session.gap(
        new StreamGap(
            wanted.durable().in(system, wanted.timeline()),
            oldest.in(system, wanted.timeline()),
            "the server had removed it"));
    session.finding(
        new Finding(
            CoreFailure.STREAM_GAP,
            session.stream().value(),
            "the server removed WAL from %s to %s on timeline %d before it was recorded"
                .formatted(wanted.durable(), oldest, wanted.timeline())));
    return start(timeline, oldest, Optional.empty());
  }

  private void storeHistory(Server server, HistoryFile history) throws IOException {
    byte[] content = history.content();
    session.companion(
        server.system().systemIdentifier(), history.name(), out -> out.write(content));
  }

  /** Receives one timeline to its end; empty if it was stopped. */
  private Optional<Start> receive(Wire wire, Server server, Start start) throws IOException {
    try {
      return receiveHeld(wire, server, start);
    } catch (BackupException.Source e) {
      if (e.code() != PostgresFailure.WAL_GONE) {
        throw e;
      }
      Start later = afterGap(wire, server, start);
      if (later.equals(start)) {
        throw e;
      }
      return Optional.of(later);
    }
  }

  private Optional<Start> receiveHeld(Wire wire, Server server, Start start) throws IOException {
    WalStream stream =
        WalStream.start(wire, clock, settings.slot(), start.from(), start.timeline());
    if (!new Reception(server, start, stream).run()) {
      stream.stop();
      return Optional.empty();
    }
    TimelineSwitch next = stream.finish();
    storeHistory(server, wire.timelineHistory(next.timeline()));
    return Optional.of(
        start(next.timeline(), server.segmentSize().floor(next.at()), Optional.empty()));
  }

  /** The WAL of one timeline on its way into the stream. */
  private final class Reception {
    private final Server server;
    private final Start start;
    private final WalStream stream;
    private final WalUnit unit;
    private final ServerSilence silence = new ServerSilence(connection, clock.instant());
    private @Nullable WalScanner scanner;
    private @Nullable Instant firstPending;
    private Instant lastStatus = clock.instant();
    private Instant lastMerge = clock.instant();
    private Lsn serverEnd;

    /**
     * Whether the server is known to have the WAL that was asked for. Before, nothing is
     * acknowledged: a slot goes where it is told, back to WAL that is gone, too, and then it no
     * longer says what is left.
     */
    private boolean isServed;

    Reception(Server server, Start start, WalStream stream) {
      this.server = server;
      this.start = start;
      this.stream = stream;
      String system = server.system().systemIdentifier();
      this.unit = new WalUnit(session, system, start.timeline(), start.from(), start.durable());
      this.scanner = scanner(start.from());
      this.serverEnd = start.from();
      this.isServed = start.from().compareTo(server.system().flushed()) >= 0;
    }

    private WalScanner scanner(Lsn from) {
      return new WalScanner(server.origin(start.timeline()), from, unit);
    }

    /** Whether the timeline came to its end; else it was stopped. */
    boolean run() throws IOException {
      acknowledge();
      while (!session.stopping().isStopping()) {
        WalEvent event = stream.next(untilNextDeed());
        listen(event);
        serve(event);
        if (event instanceof WalEvent.Data data) {
          take(data);
        } else if (event instanceof WalEvent.Keepalive alive) {
          serverEnd = later(serverEnd, alive.serverEnd());
          if (alive.wantsReply()) {
            acknowledge();
          }
        } else if (event instanceof WalEvent.EndOfTimeline) {
          settle();
          return true;
        }
        act(event instanceof WalEvent.Nothing);
      }
      settle();
      return false;
    }

    /** A server that is gone says as little as one that has nothing to say. */
    private void listen(WalEvent event) throws IOException {
      if (event.kind() != WalEvent.Kind.NOTHING) {
        silence.heard(clock.instant());
      } else if (silence.isToBeAsked(clock.instant())) {
        Lsn flushed = isServed ? unit.durable() : new Lsn(0);
        stream.ask(isServed ? unit.arrived() : flushed, flushed, flushed);
      }
    }

    /** Whatever the server sends, it sends behind having looked for the WAL. */
    private void serve(WalEvent event) throws IOException {
      boolean isSent =
          event.kind() == WalEvent.Kind.DATA || event.kind() == WalEvent.Kind.KEEPALIVE;
      if (isSent && !isServed) {
        isServed = true;
        acknowledge();
      }
    }

    /** Everything that arrived is stored, in as few slices as can be. */
    private void settle() throws IOException {
      unit.flush();
      unit.merge();
    }

    private void take(WalEvent.Data data) throws IOException {
      serverEnd = later(serverEnd, data.serverEnd());
      int done = 0;
      while (done < data.length()) {
        int count = Math.min(unit.room(), data.length() - done);
        unit.take(data.bytes(), data.offset() + done, count);
        scan(data.bytes(), data.offset() + done, count);
        done += count;
        if (unit.isFull()) {
          settle();
          unit.next();
          lastMerge = clock.instant();
          acknowledge();
        }
      }
      if (unit.isPending() && firstPending == null) {
        firstPending = clock.instant();
      }
    }

    /** What is damaged is recorded as it is: the server has it so, too. */
    private void scan(byte[] bytes, int offset, int count) throws IOException {
      WalScanner current = scanner;
      if (current == null) {
        Lsn at = unit.arrived();
        scanner = server.segmentSize().offset(at) == 0 ? scanner(at) : null;
        return;
      }
      try {
        current.accept(bytes, offset, count);
      } catch (BackupException.Corrupt e) {
        scanner = null;
        session.finding(new Finding(e.code(), session.stream().value(), e.detail()));
      }
    }

    private void act(boolean isQuiet) throws IOException {
      Instant now = clock.instant();
      Instant pending = firstPending;
      boolean isDue = pending != null && !now.isBefore(pending.plus(settings.flushWithin()));
      if (unit.isPending() && (isDue || (isQuiet && settings.standbyName().isPresent()))) {
        unit.flush();
        acknowledge();
      } else if (now.isAfter(lastStatus.plus(STATUS_EVERY))) {
        acknowledge();
      }
      if (now.isAfter(lastMerge.plus(settings.mergeEvery()))) {
        settle();
        acknowledge();
        lastMerge = now;
      }
      tellLag(now);
    }

    private Duration untilNextDeed() {
      Instant pending = firstPending;
      if (pending == null) {
        return LOOK_EVERY;
      }
      Duration left = Duration.between(clock.instant(), pending.plus(settings.flushWithin()));
      if (left.isNegative()) {
        return Duration.ZERO;
      }
      return left.compareTo(LOOK_EVERY) < 0 ? left : LOOK_EVERY;
    }

    private void acknowledge() throws IOException {
      if (!unit.isPending()) {
        firstPending = null;
      }
      if (isServed) {
        stream.acknowledge(unit.arrived(), unit.durable(), unit.durable());
      }
      lastStatus = clock.instant();
    }

    private void tellLag(Instant now) {
      Instant pending = firstPending;
      long bytes = Math.max(0, serverEnd.position() - unit.durable().position());
      session.lag(bytes, pending == null ? Duration.ZERO : Duration.between(pending, now));
    }

    private static Lsn later(Lsn one, Lsn other) {
      return one.compareTo(other) < 0 ? other : one;
    }
  }
}
