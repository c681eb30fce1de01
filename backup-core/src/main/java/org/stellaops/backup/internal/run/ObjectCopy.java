package org.stellaops.backup.internal.run;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.internal.disk.ScratchFolder;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.SinkMarker;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.repository.StoreAccess.Copied;
import org.stellaops.backup.internal.run.SnapshotClosure.Item;
import org.stellaops.backup.internal.run.SnapshotClosure.Kind;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.spi.Stopping;

/**
 * Puts objects of a repository into another store, each compared there; replaces nothing. What the
 * other store has already it is asked for once. From any thread, once that is done. Closing gives
 * files back.
 */
public final class ObjectCopy implements Closeable {
  private final Repository from;
  private final StoreAccess to;
  private final Stopping stopping;
  private final boolean isEverythingCompared;
  private final DigestSet names;
  private final DigestSet sizes;
  private final Tally tally;
  private final boolean isTallyOwn;
  private boolean isCopy;

  /** How much was done so far, each object counted once however often it is tried. */
  public static final class Tally implements Closeable {
    private final DigestSet counted;
    private long there;
    private long sent;
    private long byStore;
    private long sentBytes;
    private long compared;
    private long stated;

    /**
     * Nothing yet.
     *
     * @param folder takes what does not fit memory
     */
    public Tally(ScratchFolder folder) {
      counted = new DigestSet(folder);
    }

    /** Counts no more, and tells what it counted. */
    @Override
    public synchronized void close() throws IOException {
      counted.close();
    }

    private synchronized void addThere(ObjectName name) throws IOException {
      if (counted.add(SnapshotClosure.digestOf(name))) {
        there++;
      }
    }

    private synchronized void addSent(ObjectName name, long bytes, boolean isByStore)
        throws IOException {
      counted.put(SnapshotClosure.digestOf(name));
      sent++;
      byStore += isByStore ? 1 : 0;
      sentBytes += bytes;
    }

    private synchronized void addCompared(boolean isStated) {
      compared++;
      stated += isStated ? 1 : 0;
    }

    /** Objects that had been there. */
    public synchronized long there() {
      return there;
    }

    /** Objects that were stored, {@link #byStore} of them without passing through here. */
    public synchronized long sent() {
      return sent;
    }

    /** Objects that the store took from the other one by itself. */
    public synchronized long byStore() {
      return byStore;
    }

    /** Stored bytes of what was sent. */
    public synchronized long sentBytes() {
      return sentBytes;
    }

    /** Objects whose digests in the other store were compared, {@link #stated} unread. */
    public synchronized long compared() {
      return compared;
    }

    /** Objects of which the other store said the digest that it had computed. */
    public synchronized long stated() {
      return stated;
    }
  }

  /**
   * Everything stays the caller's.
   *
   * @param isEverythingCompared whether what had been there is read and compared, too, and nothing
   *     is believed that the store says of what it was given
   */
  public ObjectCopy(
      Repository from, StoreAccess to, Stopping stopping, boolean isEverythingCompared) {
    this(from, to, stopping, isEverythingCompared, new Tally(from.scratch()), true);
  }

  /** The same, which goes on counting. */
  ObjectCopy(
      Repository from,
      StoreAccess to,
      Stopping stopping,
      boolean isEverythingCompared,
      Tally tally) {
    this(from, to, stopping, isEverythingCompared, tally, false);
  }

  private ObjectCopy(
      Repository from,
      StoreAccess to,
      Stopping stopping,
      boolean isEverythingCompared,
      Tally tally,
      boolean isTallyOwn) {
    this.from = from;
    this.isTallyOwn = isTallyOwn;
    this.to = to;
    this.stopping = stopping;
    this.isEverythingCompared = isEverythingCompared;
    this.tally = tally;
    this.names = new DigestSet(from.scratch());
    this.sizes = new DigestSet(from.scratch());
  }

  /**
   * Makes sure that the other store may take a copy.
   *
   * @return what it says that it is; empty if it holds nothing yet
   * @throws BackupException.Refused WRONG_REPOSITORY if it belongs to another repository;
   *     COPY_CONFLICT if it is a primary, or of another role than this one
   */
  public Optional<SinkMarker> requireTarget(StoreRole role) throws IOException {
    isCopy = role == StoreRole.COPY;
    Optional<SinkMarker> there = SinkMarker.of(to);
    if (there.isEmpty() && to.findSmall(Names.REPOSITORY).isPresent()) {
      throw new BackupException.Refused(
          CoreFailure.COPY_CONFLICT,
          "the target holds a repository, and nothing says that it is a copy: %s is missing"
              .formatted(Names.SINK));
    }
    if (there.isPresent() && !there.get().repository().equals(from.id())) {
      throw new BackupException.Refused(
          CoreFailure.WRONG_REPOSITORY,
          "the target belongs to repository %s, this is %s"
              .formatted(there.get().repository(), from.id()));
    }
    if (there.isPresent() && there.get().role() != role) {
      throw new BackupException.Refused(
          CoreFailure.COPY_CONFLICT,
          "the target is a %s of repository %s, expected a %s"
              .formatted(there.get().role(), from.id(), role));
    }
    return there;
  }

  /** For a store that was asked before, and is a copy. */
  ObjectCopy asked() {
    isCopy = true;
    return this;
  }

  /**
   * Somebody may make the other store the primary at any time: from then on what it lacks is lost
   * to it, and its slots are for others.
   */
  private void requireStillCopy() throws IOException {
    if (isCopy && to.findSmall(Names.PROMOTED).isPresent()) {
      requireTarget(StoreRole.COPY);
    }
  }

  /**
   * Says of the other store what it is, before anything else is there, and stores fixed files.
   *
   * @return the other store's label, which is another one if it had one
   */
  public String begin(StoreRole role, String label) throws IOException {
    Optional<SinkMarker> before = requireTarget(role);
    if (before.isEmpty()) {
      byte[] mine = new SinkMarker(from.id(), role, label).bytes();
      requireSame(Names.SINK, mine, to.createSmall(Names.SINK, mine));
    }
    for (Map.Entry<ObjectName, byte[]> file : from.fixedFiles().entrySet()) {
      byte[] there = to.findSmall(file.getKey()).orElse(null);
      if (there == null) {
        there = to.createSmall(file.getKey(), file.getValue());
      }
      // Another version may have written its own text.
      if (file.getKey().equals(Names.REPOSITORY)) {
        requireSame(file.getKey(), file.getValue(), there);
      }
    }
    return before.map(SinkMarker::label).orElse(label);
  }

  private static void requireSame(ObjectName name, byte[] mine, byte[] there)
      throws BackupException.Refused {
    if (!Arrays.equals(mine, there)) {
      throw conflict(name, "holds other bytes at the target");
    }
  }

  private static BackupException.Refused conflict(ObjectName name, String what) {
    return new BackupException.Refused(CoreFailure.COPY_CONFLICT, name + " " + what);
  }

  /** Asks the other store for what it has; before anything is copied, by one thread. */
  public void takeInventory() throws IOException {
    to.everything(
        object -> {
          stopping.check();
          names.put(SnapshotClosure.digestOf(object.name()));
          sizes.put(sized(object.name(), object.lengthBytes()));
        });
    names.settle();
    sizes.settle();
  }

  private static Digest sized(ObjectName name, long lengthBytes) {
    return Digest.ofContent((name + " " + lengthBytes).getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Makes sure that the logs of the other store are these, not others whose entries have the same
   * names, whatever is to be copied. Of each the newest is compared that both have: wherever two
   * logs part, they differ from there on, and what an interrupted copy put last is the newest.
   *
   * @throws BackupException.Refused COPY_CONFLICT if there is another one
   */
  public void requireSameLogs(SnapshotClosure closure) throws IOException {
    for (Item newest : closure.newestEntries(entry -> hadName(entry.name()))) {
      stopping.check();
      compareThere(newest);
    }
  }

  /** Whether the other store had an object of this name and size when it was asked. */
  public boolean isThere(Item item) throws IOException {
    synchronized (sizes) {
      return sizes.contains(sized(item.name(), item.lengthBytes()));
    }
  }

  /** Whether something of another size stands under the name. */
  public boolean isInTheWay(Item item) throws IOException {
    return !isThere(item) && hadName(item.name());
  }

  /** Whether the other store had anything of this name when it was asked. */
  boolean hadName(ObjectName name) throws IOException {
    return names.contains(SnapshotClosure.digestOf(name));
  }

  /**
   * Makes sure that the other store has an object.
   *
   * @return what is wrong with it in the store that it is copied from; it was not stored then
   * @throws BackupException.Refused COPY_CONFLICT if the other store has something else there
   * @throws BackupException.Corrupt if the other store did not keep what it was given
   */
  public Optional<Finding> copy(Item item) throws IOException {
    return copy(item, true);
  }

  /**
   * The same.
   *
   * @param isVouched whether an entry that is there names it, so that it was compared before; what
   *     an interrupted copy left is compared now, as keys always are
   */
  Optional<Finding> copy(Item item, boolean isVouched) throws IOException {
    stopping.check();
    if (isInTheWay(item)) {
      throw conflict(item.name(), "has another size at the target");
    }
    if (isThere(item)) {
      tally.addThere(item.name());
      if (isRead(item, isVouched)) {
        compareThere(item);
      }
      return Optional.empty();
    }
    if (item.kind() == Kind.ENTRY) {
      requireStillCopy();
    }
    Copied copied;
    try {
      copied = to.copyNew(from.store(), item.name(), item.stored(), item.lengthBytes(), stopping);
    } catch (BackupException.Corrupt e) {
      return Optional.of(new Finding(e.code(), item.name().value(), e.detail()));
    }
    if (copied == Copied.THERE) {
      compareThere(item);
      tally.addThere(item.name());
    } else {
      Optional<Finding> damaged = compareNew(item, copied == Copied.SENT);
      if (damaged.isPresent()) {
        return damaged;
      }
      tally.addSent(item.name(), item.lengthBytes(), copied == Copied.BY_STORE);
    }
    synchronized (sizes) {
      sizes.put(sized(item.name(), item.lengthBytes()));
    }
    return Optional.empty();
  }

  /** What the name of a key says nothing of may be another one of the same size. */
  private boolean isRead(Item item, boolean isVouched) {
    return isEverythingCompared || !isVouched || item.kind() == Kind.KEY;
  }

  /** Whether {@link #copy} has nothing to ask of either store. */
  boolean isQuick(Item item, boolean isVouched) throws IOException {
    return isThere(item) && !isRead(item, isVouched);
  }

  /**
   * What was stored just now and is not what it should be must not stay under its name. A store
   * that copies by itself also copies what is damaged here, and with it perhaps what it says of it.
   */
  private Optional<Finding> compareNew(Item item, boolean wasGiven) throws IOException {
    try {
      if (wasGiven && !isEverythingCompared && to.states(item.name(), item.stored())) {
        tally.addCompared(true);
      } else {
        compare(item);
      }
      return Optional.empty();
    } catch (BackupException.Corrupt e) {
      try {
        to.delete(item.name());
        from.store().verify(item.name(), item.stored(), item.lengthBytes(), stopping);
      } catch (BackupException.Corrupt here) {
        return Optional.of(new Finding(here.code(), item.name().value(), here.detail()));
      } catch (IOException other) {
        e.addSuppressed(other);
      }
      throw e;
    }
  }

  private void compare(Item item) throws IOException {
    to.verify(item.name(), item.stored(), item.lengthBytes(), stopping);
    tally.addCompared(false);
  }

  private void compareThere(Item item) throws IOException {
    try {
      compare(item);
    } catch (BackupException.Corrupt e) {
      BackupException.Refused conflict =
          conflict(item.name(), "holds other bytes at the target: " + e.detail());
      conflict.addSuppressed(e);
      throw conflict;
    }
  }

  @Override
  public void close() throws IOException {
    try (names;
        sizes) {
      if (isTallyOwn) {
        tally.close();
      }
    }
  }

  /** How much was done so far. */
  public Tally tally() {
    return tally;
  }
}
