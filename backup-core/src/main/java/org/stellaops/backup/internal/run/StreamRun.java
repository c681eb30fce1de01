package org.stellaops.backup.internal.run;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.internal.repository.Epoch;
import org.stellaops.backup.internal.repository.Epochs;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.StreamEntry;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.StreamStatus;
import org.stellaops.backup.model.StreamStatus.State;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.PlannedStream;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.WriterKeys;

/**
 * Keeps one stream going on a thread of its own: follows its source, and after a failure follows it
 * again, later and later, from what is durable then. Only what trying again cannot mend ends it.
 */
public final class StreamRun implements Closeable {
  private static final Duration FIRST_PAUSE = Duration.ofMillis(250);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  private final Context context;
  private final BackupPlan plan;
  private final PlannedStream planned;
  private final Repository repository;
  private final WriterKeys keys;
  private final UnderWay underWay;
  private final StopSignal stopping;
  private final StreamProgress progress;
  private final List<StreamReplica> replicas = new ArrayList<>();
  private final Thread thread;

  /** Everything stays the caller's. */
  public StreamRun(
      Context context,
      BackupPlan plan,
      PlannedStream planned,
      Repository repository,
      WriterKeys keys,
      UnderWay underWay) {
    this.context = context;
    this.plan = plan;
    this.planned = planned;
    this.repository = repository;
    this.keys = keys;
    this.underWay = underWay;
    this.stopping = new StopSignal(context.clock());
    this.progress = new StreamProgress(planned.name(), context.clock(), context.listeners());
    for (BackupSink replica : plan.replicas()) {
      String log = Names.streamLog(keys.id().name(), planned.name());
      replicas.add(new StreamReplica(context, repository, replica, log, progress));
    }
    this.thread = new Thread(this::run, "stella-backup-stream-" + planned.name());
    this.thread.setDaemon(true);
  }

  /**
   * Begins; once.
   *
   * @throws IllegalStateException if the engine is closed
   */
  public void start() {
    underWay.begin(stopping, thread);
    replicas.forEach(StreamReplica::start);
    thread.start();
  }

  /** How it is doing. */
  public StreamStatus status() {
    return progress.status();
  }

  /** Whether it has ended, and will not begin again. */
  public boolean isOver() {
    State state = progress.status().state();
    return state == State.FAILED || state == State.CLOSED;
  }

  /** Waits until a place is durable; whether it is. */
  public boolean await(Position position, Duration within) throws InterruptedException {
    return progress.await(position, within);
  }

  private void run() {
    try {
      keepFollowing();
    } catch (RuntimeException | Error mistake) {
      // Of somebody who was told: to wait for ever would hide it.
      progress.turn(State.FAILED, Optional.of(internal(mistake)));
    } finally {
      replicas.forEach(StreamReplica::close);
      stopping.close();
      underWay.end(stopping);
    }
  }

  private void keepFollowing() {
    Duration pause = FIRST_PAUSE;
    while (!stopping.isStopping()) {
      Optional<Position> before = progress.status().durable();
      BackupException failure = follow();
      if (stopping.isStopping()) {
        break;
      }
      if (isFinal(failure)) {
        progress.turn(State.FAILED, Optional.of(failure));
        context.listeners().tell(l -> l.streamFailed(planned.name(), failure));
        return;
      }
      boolean hasMoved = !before.equals(progress.status().durable());
      pause = hasMoved ? FIRST_PAUSE : pause;
      pause(pause, failure);
      Duration longer = pause.multipliedBy(2);
      pause = longer.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : longer;
    }
    progress.turn(State.CLOSED, Optional.empty());
  }

  private BackupException follow() {
    try {
      Epoch epoch = BackupRun.current(plan, new Epochs(repository, keys, context.random()));
      planned
          .source()
          .follow(
              StreamRecorder.open(
                  new StreamRecorder.Shared(
                      context,
                      repository,
                      keys,
                      epoch,
                      planned,
                      stopping,
                      progress,
                      this::committed)));
      return new BackupException.Source(
          CoreFailure.SOURCE_FAILED, "stream %s ended by itself".formatted(planned.name()));
    } catch (BackupException e) {
      return e;
    } catch (IOException e) {
      return new BackupException.Source(
          CoreFailure.SOURCE_FAILED, "stream %s: %s".formatted(planned.name(), Cause.words(e)), e);
    } catch (RuntimeException | Error mistake) {
      return internal(mistake);
    }
  }

  private void committed(Head place, StreamEntry entry) {
    replicas.forEach(r -> r.committed(place, entry));
  }

  private BackupException internal(Throwable mistake) {
    BackupException failure =
        new BackupException.Refused(
            CoreFailure.INTERNAL, "stream %s ended with %s".formatted(planned.name(), mistake));
    failure.addSuppressed(mistake);
    return failure;
  }

  /** What somebody has to mend first. */
  private static boolean isFinal(BackupException failure) {
    return failure instanceof BackupException.Refused
        || failure instanceof BackupException.Corrupt
        || failure instanceof BackupException.Crypto;
  }

  /** Between half of the pause and all of it, so that many do not come back at once. */
  private void pause(Duration longest, BackupException why) {
    long millis = longest.toMillis();
    Duration pause = Duration.ofMillis(millis / 2 + context.random().nextLong(millis / 2 + 1));
    progress.turn(State.WAITING, Optional.of(why));
    context.listeners().tell(l -> l.streamInterrupted(planned.name(), why, pause));
    try {
      stopping.await(pause);
    } catch (InterruptedException e) {
      stopping.cancel();
    }
  }

  /** Stops it, and waits until it has stopped. Idempotent. */
  @Override
  public void close() {
    stopping.cancel();
    Threads.awaitEnd(thread);
  }
}
