package org.stellaops.backup.testkit;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;

/** The objects of one {@link MemorySink}, whatever stores are open on them. From any thread. */
final class MemoryObjects implements RawObjects {
  private final long seed;
  private final ConcurrentSkipListMap<ObjectName, Entry> byName = new ConcurrentSkipListMap<>();

  /** The same entries in the order of listings, keyed by {@link Entry#order}. */
  private final ConcurrentSkipListMap<String, Entry> byOrder = new ConcurrentSkipListMap<>();

  private final Set<ObjectName> locked = ConcurrentHashMap.newKeySet();
  private final AtomicLong generations = new AtomicLong();
  private final AtomicInteger openStores = new AtomicInteger();
  private final OpenStreams streams = new OpenStreams();
  private volatile long maxObjectBytes = Integer.MAX_VALUE;

  MemoryObjects(long seed) {
    this.seed = seed;
  }

  MemoryStore openStore() {
    openStores.incrementAndGet();
    return new MemoryStore(this, seed);
  }

  void storeClosed() {
    openStores.decrementAndGet();
  }

  OpenStreams streams() {
    return streams;
  }

  /** Whether the object was stored; false if there is one of that name. */
  synchronized boolean create(ObjectName name, byte[] bytes) {
    if (byName.containsKey(name)) {
      return false;
    }
    replace(name, bytes);
    return true;
  }

  /** Gives a name another body, and what it had another name; false if there is none. */
  synchronized boolean setAside(ObjectName name, byte[] bytes) {
    Entry before = byName.get(name);
    if (before == null) {
      return false;
    }
    ObjectName aside = ObjectName.of(name + ".damaged");
    for (int number = 2; !create(aside, before.bytes()); number++) {
      aside = ObjectName.of(name + ".damaged-" + number);
    }
    replace(name, bytes);
    return true;
  }

  /** Null if there is no such object. */
  @Nullable Entry find(ObjectName name) {
    return byName.get(name);
  }

  /** The entries that follow {@code order} in a listing. */
  Iterable<Entry> following(String order) {
    return byOrder.tailMap(order, false).values();
  }

  synchronized void delete(ObjectName name) {
    Entry removed = byName.remove(name);
    if (removed != null) {
      byOrder.remove(removed.order());
    }
  }

  boolean isLocked(ObjectName name) {
    return locked.contains(name);
  }

  void protect(ObjectName name) {
    locked.add(name);
  }

  void unprotect(ObjectName name) {
    locked.remove(name);
  }

  long maxObjectBytes() {
    return maxObjectBytes;
  }

  void limit(long maxBytes) {
    maxObjectBytes = maxBytes;
  }

  synchronized SortedMap<ObjectName, byte[]> snapshot() {
    SortedMap<ObjectName, byte[]> copy = new TreeMap<>();
    byName.forEach((name, entry) -> copy.put(name, entry.bytes().clone()));
    return copy;
  }

  synchronized void reset(SortedMap<ObjectName, byte[]> snapshot) {
    byName.clear();
    byOrder.clear();
    snapshot.forEach((name, bytes) -> replace(name, bytes.clone()));
  }

  void assertNothingOpen() {
    List<String> open = new ArrayList<>(streams.names());
    if (openStores.get() > 0) {
      open.add(openStores.get() + " stores");
    }
    if (!open.isEmpty()) {
      throw new AssertionError("left open in a memory sink: " + open);
    }
  }

  @Override
  public SortedSet<ObjectName> names() {
    return new TreeSet<>(byName.keySet());
  }

  @Override
  public long lengthBytes(ObjectName name) {
    return existing(name).bytes().length;
  }

  @Override
  public byte[] read(ObjectName name) {
    return existing(name).bytes().clone();
  }

  @Override
  public byte read(ObjectName name, long offset) {
    return existing(name).bytes()[Math.toIntExact(offset)];
  }

  @Override
  public void write(ObjectName name, byte[] bytes) {
    replace(name, bytes.clone());
  }

  /** In place, so that ten thousand flips in a large object do not copy it as often. */
  @Override
  public synchronized void write(ObjectName name, long offset, byte value) {
    byte[] bytes = existing(name).bytes();
    bytes[Math.toIntExact(offset)] = value;
    put(new Entry(name, bytes, order(name), generations.incrementAndGet()));
  }

  @Override
  public void remove(ObjectName name) {
    existing(name);
    delete(name);
  }

  private synchronized void replace(ObjectName name, byte[] bytes) {
    put(new Entry(name, bytes, order(name), generations.incrementAndGet()));
  }

  private void put(Entry entry) {
    byName.put(entry.name(), entry);
    byOrder.put(entry.order(), entry);
  }

  private Entry existing(ObjectName name) {
    Entry entry = byName.get(name);
    if (entry == null) {
      throw new IllegalArgumentException("no object " + name);
    }
    return entry;
  }

  /** A place in listings that depends on the seed and the name only, so that pages are stable. */
  private String order(ObjectName name) {
    return Digest.ofContent((seed + " " + name).getBytes(StandardCharsets.UTF_8)).hex();
  }

  /**
   * One object.
   *
   * @param order where listings show it
   * @param generation differs whenever the bytes may
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared: identity of the object is its name
  record Entry(ObjectName name, byte[] bytes, String order, long generation) {}
}
