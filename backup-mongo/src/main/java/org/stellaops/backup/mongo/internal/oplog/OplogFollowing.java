package org.stellaops.backup.mongo.internal.oplog;

import com.mongodb.MongoException;
import com.mongodb.MongoTimeoutException;
import com.mongodb.client.MongoClient;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.bson.BsonTimestamp;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.spi.StreamSession;

/**
 * One session of following an oplog: from where the stream ends, whatever primary has it, until it
 * is stopped. Going on begins with the last entry that was seen, which has to be there: so nothing
 * is lost between two connections without being owned up to, and nothing recorded twice.
 */
public final class OplogFollowing {
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  /** Reconnected so often without an entry in between, the engine tries, which says so. */
  private static final int ATTEMPTS = 8;

  private final OplogReader reader;
  private final FollowSettings settings;
  private final EntryFilter filter;
  private final StreamSession session;

  /** For one call of {@code follow}, over a client that outlives it. */
  public OplogFollowing(MongoClient client, FollowSettings settings, StreamSession session) {
    this.reader = new OplogReader(client);
    this.settings = settings;
    this.filter = new EntryFilter(settings.selection());
    this.session = session;
  }

  /** Follows until the session stops. */
  public void run() throws IOException {
    Reception reception = begin();
    int attempt = 0;
    while (!session.stopping().isStopping()) {
      Position before = reception.unit.arrived();
      try {
        reception.run();
      } catch (MongoException e) {
        attempt = reception.unit.arrived().equals(before) ? attempt + 1 : 1;
        if (attempt > ATTEMPTS || DriverErrors.isDenied(e)) {
          reception.finish();
          throw DriverErrors.source("follow the oplog", e);
        }
        pause(attempt);
      }
    }
    reception.finish();
  }

  private void pause(int attempt) throws IOException {
    Duration pause = FIRST_PAUSE.multipliedBy(1L << Math.min(attempt - 1, 6));
    await(pause.compareTo(LONGEST_PAUSE) < 0 ? pause : LONGEST_PAUSE);
  }

  @SuppressWarnings("try") // the registration is only there to be closed
  private void await(Duration time) throws IOException {
    CountDownLatch stopped = new CountDownLatch(1);
    try (Closeable registration = session.stopping().onStop(stopped::countDown)) {
      stopped.await(time.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BackupException.Stopped(CoreFailure.CANCELLED, "follow the oplog: interrupted");
    }
  }

  /** Where to go on. What a step-down broke off is tried again, as it is when entries have come. */
  private Reception begin() throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        return reception();
      } catch (MongoException e) {
        // a server that was not found at all was looked for long enough
        boolean isBrokenOff = DriverErrors.isTransient(e) && !(e instanceof MongoTimeoutException);
        if (attempt > ATTEMPTS || !isBrokenOff || session.stopping().isStopping()) {
          throw DriverErrors.source("look for the oplog", e);
        }
      } catch (OplogException e) {
        throw e.whileReading();
      }
      pause(attempt);
    }
  }

  /** At the very beginning before everything that a capture may need from now. */
  private Reception reception() throws IOException, OplogException {
    String lineage = lineage();
    Optional<Position> durable = session.durable();
    return durable.isPresent()
        ? new Reception(new OplogUnit(session, durable.get()), true)
        : new Reception(new OplogUnit(session, beginning(lineage)), false);
  }

  private String lineage() throws BackupException.Refused {
    String name = OplogReader.lineage(reader.replicaSet());
    String known = session.durable().map(Position::lineage).orElse("");
    String lineage = reader.replicaSetId().map(id -> name + "." + id).orElse(name);
    // Whether the id may be read can change; it is the same replica set all the same.
    boolean isSame = known.isEmpty() || known.equals(lineage) || known.equals(name);
    boolean isUnreadable = lineage.equals(name) && known.startsWith(name + ".");
    if (!isSame && !isUnreadable) {
      throw new BackupException.Refused(
          CoreFailure.STREAM_LINEAGE,
          "the replica set is %s, the stream %s holds the oplog of %s"
              .formatted(lineage, session.stream(), known));
    }
    return lineage;
  }

  private Position beginning(String lineage) throws BackupException, OplogException {
    BsonTimestamp start = reader.start();
    try (OplogReader.Tail tail = reader.tail(start)) {
      Optional<RawDocument> first = tail.next();
      long term = first.isEmpty() ? 0 : OplogEntry.of(first.get()).term();
      return OplogTimes.position(lineage, term, before(start));
    }
  }

  private static BsonTimestamp before(BsonTimestamp ts) {
    return new BsonTimestamp(ts.getValue() - 1);
  }

  /** The stream, and where it stands, from one connection to the next. */
  private final class Reception {
    private OplogUnit unit;

    /** Whether the entry that the unit is behind has to be there. */
    private boolean isLinked;

    private @Nullable Instant firstPending;
    private Instant lastMerge = now();
    private Instant lastAdvance = now();

    Reception(OplogUnit unit, boolean isLinked) {
      this.unit = unit;
      this.isLinked = isLinked;
    }

    private Instant now() {
      return session.clock().instant();
    }

    /** With one cursor, until it ends or the session stops. */
    void run() throws IOException {
      boolean mustLink = isLinked;
      try (OplogReader.Tail tail = reader.tail(unit.arrivedAt())) {
        while (!session.stopping().isStopping()) {
          Optional<RawDocument> next = tail.next();
          if (next.isPresent()) {
            OplogEntry entry = OplogEntry.of(next.get());
            boolean isBehind = mustLink ? link(entry) : entry.ts().equals(unit.arrivedAt());
            if (!isBehind) {
              take(entry);
            }
            mustLink = false;
            isLinked = true;
          } else if (tail.isDead()) {
            act();
            await(FIRST_PAUSE);
            return;
          }
          act();
        }
      } catch (OplogException e) {
        settle();
        throw e.whileReading();
      } catch (IllegalArgumentException e) {
        throw new BackupException.Source(
            MongoFailure.OPLOG_MALFORMED, "follow the oplog: " + e.getMessage(), e);
      }
    }

    /**
     * Whether the first entry of a cursor is the one that was seen last; else says what is lost.
     */
    private boolean link(OplogEntry first) throws IOException {
      BsonTimestamp expected = unit.arrivedAt();
      boolean isThere = first.ts().equals(expected);
      if (isThere && first.term() == unit.arrived().branch()) {
        return true;
      }
      settle();
      Position at = unit.arrived();
      Position from = OplogTimes.position(at.lineage(), first.term(), before(first.ts()));
      if (isThere || first.ts().getValue() - 1 != expected.getValue()) {
        lost(at, before(first.ts()), why(first, isThere));
      }
      unit = new OplogUnit(session, from);
      return false;
    }

    private String why(OplogEntry first, boolean isThere) {
      if (isThere) {
        return "the oplog has another entry of term %d there: it is of another history"
            .formatted(first.term());
      }
      BsonTimestamp oldest = reader.first().map(o -> o.get("ts").timestamp()).orElse(first.ts());
      return oldest.compareTo(unit.arrivedAt()) > 0
          ? "the oplog begins at %s: it had rolled over".formatted(OplogTimes.text(oldest))
          : "the entry is not in the oplog, which begins at %s: it was rolled back"
              .formatted(OplogTimes.text(oldest));
    }

    private void lost(Position at, BsonTimestamp next, String why) throws IOException {
      Position to = OplogTimes.position(at.lineage(), at.branch(), next);
      if (Long.compareUnsigned(at.offset(), to.offset()) < 0) {
        session.gap(new StreamGap(at, to, why));
      }
      session.finding(
          new Finding(
              CoreFailure.STREAM_GAP,
              session.stream().value(),
              "nothing is recorded of the oplog behind %s up to %s: %s; hint: take a full capture, and enlarge the oplog with replSetResizeOplog if it rolled over"
                  .formatted(at, to, why)));
    }

    private void take(OplogEntry entry) throws IOException {
      Optional<RawDocument> wanted = wanted(entry);
      if (entry.term() != unit.arrived().branch()) {
        elected(entry.term());
      }
      int more = wanted.map(RawDocument::length).orElse(0);
      if (unit.size() > 0 && unit.size() + more > settings.unitBytes()) {
        merge();
      }
      unit.take(entry, wanted);
      if (unit.pendingBytes() > 0 && firstPending == null) {
        firstPending = now();
      }
    }

    /** What is not known is recorded as it is, and said: a replay stops there, and not before. */
    private Optional<RawDocument> wanted(OplogEntry entry) {
      try {
        return filter.apply(entry);
      } catch (OplogException e) {
        session.finding(
            new Finding(e.code(), session.stream().value(), String.valueOf(e.getMessage())));
        return Optional.of(entry.raw());
      }
    }

    /** Another primary goes on where the last one ended: a branch of its own. */
    private void elected(long term) throws IOException {
      settle();
      Position at = unit.arrived();
      unit =
          new OplogUnit(session, OplogTimes.position(at.lineage(), term, OplogTimes.timestamp(at)));
    }

    private void act() throws IOException {
      Instant now = now();
      Instant pending = firstPending;
      boolean isDue = pending != null && !now.isBefore(pending.plus(settings.flushWithin()));
      boolean isOld = now.isAfter(lastAdvance.plus(settings.advanceEvery()));
      if (isDue || (isOld && unit.isBehind())) {
        unit.flush();
        firstPending = null;
        lastAdvance = now;
      }
      if (now.isAfter(lastMerge.plus(settings.mergeEvery()))) {
        if (unit.size() > 0) {
          merge();
        }
        lastMerge = now;
      }
      Instant oldest = firstPending;
      session.lag(
          unit.pendingBytes(), oldest == null ? Duration.ZERO : Duration.between(oldest, now));
    }

    private void merge() throws IOException {
      unit.merge();
      firstPending = null;
      lastMerge = now();
      lastAdvance = lastMerge;
    }

    /** Everything that was seen is recorded, in as few slices as can be. */
    private void settle() throws IOException {
      if (unit.size() > 0 || unit.isBehind()) {
        merge();
      }
    }

    /** The same where something of interest was seen. */
    void finish() throws IOException {
      if (unit.size() > 0) {
        merge();
      }
    }
  }
}
