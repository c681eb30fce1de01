package org.stellaops.backup.testkit;

import java.util.SortedMap;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.StoreContext;

/**
 * The strictest legal sink, in memory. Every store opened from it sees the same objects, so that a
 * second engine, or the same one after a restart, is one more {@link #open}.
 *
 * <p>It does what a caller must be able to bear and what few real stores do every time: a listing
 * comes in small pages, some of them empty, in an order that has nothing to do with the names; a
 * read returns fewer bytes than were asked for; the body of a put is opened twice, the first time
 * only to be given up half way, as by a retry. Names may nest below the names of other objects, as
 * in a bucket.
 *
 * <p>From any thread.
 */
public final class MemorySink implements BackupSink {
  private final MemoryObjects objects;

  /** Empty; its pages and orders come from seed 1. */
  public MemorySink() {
    this(1);
  }

  /** Empty; two sinks with the same seed list the same names in the same pages. */
  public MemorySink(long seed) {
    this.objects = new MemoryObjects(seed);
  }

  @Override
  public String describe() {
    return "memory:";
  }

  @Override
  public MemoryStore open(StoreContext context) {
    return objects.openStore();
  }

  /** {@link #open(StoreContext)} with the system's clock, never stopping. */
  public MemoryStore open() {
    return open(StoreContext.system());
  }

  /** From now on a put of more than this is refused, and {@code traits()} says so. */
  public MemorySink limitObjects(long maxBytes) {
    objects.limit(maxBytes);
    return this;
  }

  /** From now on deleting this object is refused as LOCKED, as under a retention lock. */
  public void protect(ObjectName name) {
    objects.protect(name);
  }

  /** Ends {@link #protect}. */
  public void unprotect(ObjectName name) {
    objects.unprotect(name);
  }

  /** A copy of all objects as they are now, sorted by name. */
  public SortedMap<ObjectName, byte[]> snapshot() {
    return objects.snapshot();
  }

  /** Replaces all objects by those of a {@link #snapshot}: the storage was rolled back. */
  public void reset(SortedMap<ObjectName, byte[]> snapshot) {
    objects.reset(snapshot);
  }

  /** The objects as whoever holds the disk sees them: to read, corrupt and remove. */
  public RawObjects raw() {
    return objects;
  }

  /**
   * Fails if a store, a stream of an object, or a stream of a body was not closed.
   *
   * @throws AssertionError that names them
   */
  public void assertNothingOpen() {
    objects.assertNothingOpen();
  }
}
