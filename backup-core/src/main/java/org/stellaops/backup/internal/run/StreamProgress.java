package org.stellaops.backup.internal.run;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StreamStatus;
import org.stellaops.backup.model.StreamStatus.State;

/** What is known of a running stream at any moment. From any thread. */
final class StreamProgress {
  private static final int MOST_FINDINGS = 100;

  /** As good as for ever, and still a number of nanoseconds. */
  private static final Duration LONGEST = Duration.ofDays(36_500);

  private final SourceName stream;
  private final InstantSource clock;
  private final Listeners listeners;
  private final Map<String, Finding> findings = new LinkedHashMap<>();
  private State state = State.FOLLOWING;
  private Instant since;
  private Optional<Position> durable = Optional.empty();
  private long lagBytes;
  private Duration lagTime = Duration.ZERO;
  private Optional<BackupException> problem = Optional.empty();

  StreamProgress(SourceName stream, InstantSource clock, Listeners listeners) {
    this.stream = stream;
    this.clock = clock;
    this.listeners = listeners;
    this.since = clock.instant();
  }

  synchronized void durable(Optional<Position> position) {
    durable = position;
    if (state == State.WAITING) {
      turn(State.FOLLOWING, Optional.empty());
    }
    notifyAll();
  }

  synchronized void lag(long bytes, Duration time) {
    lagBytes = bytes;
    lagTime = time;
  }

  void found(Finding finding) {
    synchronized (this) {
      String about = finding.code().code() + " " + finding.subject();
      findings.remove(about);
      findings.put(about, finding);
      if (findings.size() > MOST_FINDINGS) {
        findings.remove(findings.keySet().iterator().next());
      }
    }
    listeners.tell(l -> l.streamFound(stream, finding));
  }

  synchronized void turn(State to, Optional<BackupException> why) {
    if (state != to) {
      since = clock.instant();
    }
    state = to;
    problem = why;
    notifyAll();
  }

  /** Waits until a place is durable, or the stream has ended; whether it is durable. */
  synchronized boolean await(Position position, Duration within) throws InterruptedException {
    Duration longest = within.compareTo(LONGEST) < 0 ? within : LONGEST;
    long end = System.nanoTime() + longest.toNanos();
    while (!isDurable(position)) {
      long left = end - System.nanoTime();
      boolean isOver = state == State.FAILED || state == State.CLOSED;
      if (left <= 0 || isOver) {
        return false;
      }
      wait(Math.max(1, left / 1_000_000));
    }
    return true;
  }

  private boolean isDurable(Position position) {
    return durable
        .filter(d -> d.lineage().equals(position.lineage()) && d.branch() >= position.branch())
        .filter(d -> Long.compareUnsigned(d.offset(), position.offset()) >= 0)
        .isPresent();
  }

  synchronized StreamStatus status() {
    return new StreamStatus(
        stream, state, since, durable, lagBytes, lagTime, problem, List.copyOf(findings.values()));
  }
}
