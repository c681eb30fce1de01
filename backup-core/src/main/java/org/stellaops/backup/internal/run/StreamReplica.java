package org.stellaops.backup.internal.run;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.SinkMarker;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.repository.StreamEntry;
import org.stellaops.backup.internal.run.SnapshotClosure.Item;
import org.stellaops.backup.internal.run.SnapshotClosure.Kind;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreContext;

/**
 * Brings what one stream records to one replica, each entry as soon as it is committed, on a thread
 * of its own: whoever records is never kept waiting. What it could not keep up with, or failed to
 * send, it finds by comparing both stores, with which it also begins. A replica that holds nothing
 * yet gets its first snapshot from a run.
 */
final class StreamReplica implements Closeable {
  /** What waits for a replica; whatever comes on top is found by comparing. */
  private static final int MOST_WAITING = 256;

  /** Entries that are compared while others are. */
  private static final int AT_ONCE = 4;

  /** What was sent is remembered, since later entries name it again. */
  private static final int MOST_REMEMBERED = 1 << 16;

  private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  /** What a replica gets of a stream that ends, before the rest is left to the next run. */
  private static final Duration PARTING = Duration.ofSeconds(10);

  private final Context context;
  private final Repository repository;
  private final BackupSink replica;
  private final String log;
  private final StreamProgress progress;
  private final StopSignal stopping;
  private final Thread thread;
  private final Deque<Recorded> waiting = new ArrayDeque<>();
  private DigestSet sent = new DigestSet();
  private int remembered;
  private boolean isBehind = true;
  private boolean isClosing;

  /** An entry that was committed, and what it names. */
  private record Recorded(Head place, List<ObjectRef> objects) {}

  /** Everything stays the caller's. */
  StreamReplica(
      Context context,
      Repository repository,
      BackupSink replica,
      String log,
      StreamProgress progress) {
    this.context = context;
    this.repository = repository;
    this.replica = replica;
    this.log = log;
    this.progress = progress;
    this.stopping = new StopSignal(context.clock());
    this.thread = new Thread(this::run, "stella-backup-replica-" + log);
    this.thread.setDaemon(true);
  }

  /** Begins; once. */
  void start() {
    thread.start();
  }

  /** Returns at once. */
  synchronized void committed(Head place, StreamEntry entry) {
    if (waiting.size() >= MOST_WAITING) {
      waiting.clear();
      isBehind = true;
    }
    waiting.add(new Recorded(place, entry.objects()));
    notifyAll();
  }

  private void run() {
    Duration pause = FIRST_PAUSE;
    while (awaitNews()) {
      boolean isDone = sendWaiting();
      if (!isDone && isLast()) {
        return;
      }
      if (!isDone) {
        pause(pause);
        Duration longer = pause.multipliedBy(2);
        pause = longer.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : longer;
      } else {
        pause = FIRST_PAUSE;
      }
    }
  }

  /** Whether there is something to do; not if it is to end. */
  private synchronized boolean awaitNews() {
    try {
      while (waiting.isEmpty() && !isBehind && !isClosing) {
        wait();
      }
    } catch (InterruptedException e) {
      return false;
    }
    return !stopping.isStopping() && !(isClosing && waiting.isEmpty());
  }

  /** To be closed is no reason to try again. */
  private synchronized boolean isLast() {
    return isClosing;
  }

  private synchronized void pause(Duration longest) {
    long end = System.nanoTime() + longest.toNanos();
    try {
      for (long left = longest.toNanos(); left > 0 && !isClosing; left = end - System.nanoTime()) {
        wait(Math.max(1, left / 1_000_000));
      }
    } catch (InterruptedException e) {
      isClosing = true;
    }
  }

  /** Whether the replica has everything now that was committed before. */
  private boolean sendWaiting() {
    try (ObjectStore store = replica.open(new StoreContext(context.clock(), stopping))) {
      StoreAccess to = new StoreAccess(store);
      // Somebody may have made it the primary since.
      try (ObjectCopy asking = new ObjectCopy(repository, to, stopping, false)) {
        asking.requireTarget(StoreRole.COPY);
      }
      if (beginCatchingUp() && !catchUp(to)) {
        notYet();
        return false;
      }
      for (Optional<Recorded> next = next(); next.isPresent(); next = next()) {
        try (ObjectCopy copy = new ObjectCopy(repository, to, stopping, false)) {
          send(next.get(), copy.asked());
        }
        taken();
      }
      return true;
    } catch (IOException e) {
      fallBehind(Cause.words(e));
    } catch (RuntimeException mistake) {
      // A mistake in somebody's sink must not end what is recorded.
      fallBehind(mistake.toString());
    }
    return false;
  }

  /** What waits now is found by comparing; what overflows while that goes on needs it once more. */
  private synchronized boolean beginCatchingUp() {
    boolean wasBehind = isBehind;
    if (wasBehind) {
      waiting.clear();
      isBehind = false;
    }
    return wasBehind;
  }

  private synchronized void notYet() {
    isBehind = true;
  }

  private synchronized Optional<Recorded> next() {
    return isBehind ? Optional.empty() : Optional.ofNullable(waiting.peek());
  }

  private synchronized void taken() {
    waiting.poll();
  }

  private void fallBehind(String why) {
    notYet();
    if (!stopping.isStopping()) {
      progress.found(
          new Finding(
              CoreFailure.UNDER_REPLICATED,
              replica.describe(),
              "is behind with stream log %s: %s".formatted(log, why)));
    }
  }

  /** The same as a copy does, but for snapshots; false while there is nothing to go on from. */
  private boolean catchUp(StoreAccess to) throws IOException {
    if (SinkMarker.of(to).isEmpty()) {
      return false;
    }
    Repository now = repository.afresh();
    SnapshotList list = SnapshotList.read(now);
    SnapshotClosure closure = SnapshotClosure.of(now, list, list.believed());
    try (ObjectCopy copy = new ObjectCopy(now, to, stopping, false)) {
      return catchUp(list, closure, copy);
    }
  }

  private boolean catchUp(SnapshotList list, SnapshotClosure closure, ObjectCopy copy)
      throws IOException {
    copy.requireTarget(StoreRole.COPY);
    copy.takeInventory();
    copy.requireSameLogs(closure);
    // What lists snapshots again that are there in part only is left to a run, which brings them.
    closure.recallingLast(SentRetention.recalls(list, copy::hadName));
    boolean[] isOurs = {false};
    try (SeveralAtOnce several =
        new SeveralAtOnce(context.threads().waiting(), AT_ONCE, stopping)) {
      // What is damaged of this keeps nothing back: it says so there as it does here.
      closure.shared(
          SnapshotClosure.inGroups(
              group -> {
                boolean isVouched = copy.isThere(entryOf(group));
                for (Item item : group) {
                  compareOrSend(item, isVouched, copy, several, damage -> {});
                }
              }));
      closure.streams(
          SnapshotClosure.inGroups(
              group -> {
                isOurs[0] |= entryOf(group).name().value().startsWith("log/" + log + "/");
                catchUp(group, copy, several);
              }));
      several.await();
    }
    return isOurs[0];
  }

  private static Item entryOf(List<Item> group) {
    return group.get(group.size() - 1);
  }

  private void catchUp(List<Item> group, ObjectCopy copy, SeveralAtOnce several)
      throws IOException {
    if (!copy.isThere(entryOf(group))) {
      sendAll(group, copy).ifPresent(this::lost);
      return;
    }
    for (Item item : group) {
      compareOrSend(item, true, copy, several, this::lost);
    }
  }

  /** What is there already is compared while others go on. */
  private static void compareOrSend(
      Item item,
      boolean isVouched,
      ObjectCopy copy,
      SeveralAtOnce several,
      Consumer<Finding> damage)
      throws IOException {
    if (copy.isThere(item) && !copy.isQuick(item, isVouched)) {
      several.add(() -> copy.copy(item, isVouched), found -> found.ifPresent(damage));
    } else {
      copy.copy(item, isVouched).ifPresent(damage);
    }
  }

  /** One slice that is lost here keeps nothing back but the entry that names it. */
  private void lost(Finding damage) {
    progress.found(
        new Finding(
            CoreFailure.UNDER_REPLICATED,
            replica.describe(),
            "lacks what stream log %s lost: %s".formatted(log, damage)));
  }

  private void send(Recorded recorded, ObjectCopy copy) throws IOException {
    List<Item> group = new ArrayList<>();
    for (ObjectRef object : recorded.objects()) {
      if (!sent.contains(object.stored())) {
        group.add(new Item(object.name(), object.stored(), object.lengthBytes(), Kind.CONTENT));
      }
    }
    ObjectName entry = StoreAccess.entry(log, recorded.place().sequence());
    long length = repository.store().lengthOf(entry).orElse(0L);
    group.add(new Item(entry, recorded.place().digest(), length, Kind.ENTRY));
    Optional<Finding> damage = sendAll(group, copy);
    if (damage.isPresent()) {
      throw new BackupException.Corrupt(
          CoreFailure.COPY_INCOMPLETE, damage.get().toString(), List.of(damage.get()));
    }
    for (ObjectRef object : recorded.objects()) {
      if (remembered++ >= MOST_REMEMBERED) {
        sent = new DigestSet();
        remembered = 1;
      }
      sent.add(object.stored());
    }
  }

  /**
   * The entry last, and only behind everything else. Where no entry names it yet, what is there
   * already may be what could not be compared before.
   */
  private static Optional<Finding> sendAll(List<Item> group, ObjectCopy copy) throws IOException {
    boolean isVouched = copy.isThere(entryOf(group));
    for (Item item : group) {
      Optional<Finding> damage = copy.copy(item, isVouched);
      if (damage.isPresent()) {
        return damage;
      }
    }
    return Optional.empty();
  }

  /** Sends what is recorded already, as long as that takes no longer than it may. */
  @Override
  public void close() {
    synchronized (this) {
      isClosing = true;
      notifyAll();
    }
    try {
      thread.join(PARTING.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    stopping.cancel();
    Threads.awaitEnd(thread);
    stopping.close();
  }
}
