package org.stellaops.backup.internal.repository;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.disk.ScratchFile;
import org.stellaops.backup.internal.disk.ScratchFolder;
import org.stellaops.backup.internal.repository.DigestRun.Sorted;
import org.stellaops.backup.model.Digest;

/**
 * Digests in 16 bytes each: so two that agree in their first half count as one. Whoever asks must
 * mean no harm by a digest that is taken for one of these: to keep an object too long, or to store
 * it once more. One thread writes; then any thread reads.
 *
 * <p>Half a million are in a table of 16 MiB. When it is full, what stands there goes to a file as
 * a sorted {@link DigestRun}, and runs are merged when they are not much larger than what is newer:
 * so there are few, of which each is asked. What a file cannot take is an IOException, and the set
 * is no use from then on: none answers wrongly, and none takes all memory of the process that it is
 * embedded in.
 *
 * <p>Closing gives files back at once; those of a set that nobody can reach any more the JVM
 * closes.
 */
public final class DigestSet implements Closeable {
  private static final int SMALLEST = 64;
  private static final int MOST_IN_MEMORY = 1 << 19;

  /** How many times as many keys as all newer runs together a run has to have to stay as it is. */
  private static final int FACTOR = 2;

  private final ScratchFolder folder;
  private final int mostInMemory;
  private final List<DigestRun> runs = new ArrayList<>();
  private long[] table = new long[2 * SMALLEST];
  private int count;
  private boolean isCounted = true;
  private boolean isClosed;
  private @Nullable IOException failure;

  /**
   * An empty one.
   *
   * @param folder takes what does not fit memory
   */
  public DigestSet(ScratchFolder folder) {
    this(folder, MOST_IN_MEMORY);
  }

  /** An empty one, which uses the directory for temporary files should it grow large. */
  public DigestSet() {
    this(ScratchFolder.temporary());
  }

  /**
   * An empty one.
   *
   * @param mostInMemory how many of its digests may be
   */
  DigestSet(ScratchFolder folder, int mostInMemory) {
    this.folder = folder;
    this.mostInMemory = mostInMemory;
  }

  /** One that has the same digests, and can be added to while others read this one. */
  DigestSet copy() {
    requireOpen();
    DigestSet copy = new DigestSet(folder, mostInMemory);
    runs.forEach(DigestRun::share);
    copy.runs.addAll(runs);
    copy.table = table.clone();
    copy.count = count;
    copy.isCounted = isCounted;
    return copy;
  }

  /** Adds a digest; whether it is new. */
  public boolean add(Digest digest) throws IOException {
    requireUsable();
    long high = half(digest, 0);
    long low = half(digest, 16);
    return !isInRun(high, low) && insert(high, low);
  }

  /** Adds a digest without a look whether it is new, which costs less where there are many. */
  public void put(Digest digest) throws IOException {
    requireUsable();
    put(half(digest, 0), half(digest, 16));
  }

  private void put(long high, long low) throws IOException {
    isCounted &= runs.isEmpty();
    insert(high, low);
  }

  /** Adds all of the other's. */
  public void putAll(DigestSet other) throws IOException {
    requireUsable();
    other.requireUsable();
    for (int slot = 0; slot < other.table.length; slot += 2) {
      if (!other.isFree(slot)) {
        put(other.table[slot], other.table[slot + 1]);
      }
    }
    for (DigestRun run : other.runs) {
      for (Sorted keys = run.all(); keys.next(); ) {
        put(keys.high(), keys.low());
      }
    }
  }

  private boolean insert(long high, long low) throws IOException {
    int slot = slot(table, high, low);
    if (isAt(slot, high, low)) {
      return false;
    }
    table[slot] = high;
    table[slot + 1] = low;
    count++;
    if (count >= mostInMemory) {
      spill();
    } else if (count * 4L > table.length) {
      grow();
    }
    return true;
  }

  /** Whether the digest is among them. */
  public boolean contains(Digest digest) throws IOException {
    requireUsable();
    long high = half(digest, 0);
    long low = half(digest, 16);
    return isAt(slot(table, high, low), high, low) || isInRun(high, low);
  }

  private boolean isInRun(long high, long low) throws IOException {
    for (DigestRun run : runs) {
      if (run.indexOf(high, low) >= 0) {
        return true;
      }
    }
    return false;
  }

  /**
   * To be called when nothing is added any more, before others read: then a look takes one read at
   * most, and each has a number.
   */
  public DigestSet settle() throws IOException {
    requireUsable();
    if (count + runs.size() > 1 && !runs.isEmpty()) {
      merge(0);
    }
    if (!runs.isEmpty()) {
      table = new long[2 * SMALLEST];
    }
    isCounted = true;
    return this;
  }

  /** A number of the digest in a settled set, less than {@link #capacity()}; else -1. */
  public int indexOf(Digest digest) throws IOException {
    requireUsable();
    requireSettled();
    long high = half(digest, 0);
    long low = half(digest, 16);
    if (!runs.isEmpty()) {
      return Math.toIntExact(runs.get(0).indexOf(high, low));
    }
    int slot = slot(table, high, low);
    return isAt(slot, high, low) ? slot / 2 : -1;
  }

  /** One more than the largest number of a digest. */
  public int capacity() {
    requireSettled();
    return runs.isEmpty() ? table.length / 2 : Math.toIntExact(runs.get(0).count());
  }

  /** How many there are; of a set that was not only added to, once it is settled. */
  public long size() {
    requireOpen();
    if (!isCounted) {
      throw new IllegalStateException("what was put has to be settled before it is counted");
    }
    return count + runs.stream().mapToLong(DigestRun::count).sum();
  }

  private void requireSettled() {
    requireOpen();
    if (runs.size() > 1 || (!runs.isEmpty() && count > 0)) {
      throw new IllegalStateException("digests have numbers once they are settled");
    }
  }

  /** What could not be written once is missing for good: whoever asks later is told the same. */
  private void requireUsable() throws IOException {
    IOException before = failure;
    if (before != null) {
      throw ScratchFile.failed("go on with a set of digests", before);
    }
    requireOpen();
  }

  private void requireOpen() {
    if (isClosed) {
      throw new IllegalStateException("a set of digests was closed");
    }
  }

  /** The digits of a SHA-256 from this one on. */
  private static long half(Digest digest, int firstDigit) {
    long half = Long.parseUnsignedLong(digest.hex(), firstDigit, firstDigit + 16, 16);
    // Two that are 0 stand for a free place. No digest is like that, but a name may be.
    return firstDigit > 0 && half == 0 ? 1 : half;
  }

  private boolean isFree(int slot) {
    return table[slot] == 0 && table[slot + 1] == 0;
  }

  private boolean isAt(int slot, long high, long low) {
    return table[slot] == high && table[slot + 1] == low && !isFree(slot);
  }

  /** Where it stands, or would. Digests are as good as random, so they are their own hash. */
  private static int slot(long[] table, long high, long low) {
    int slot = 2 * (int) (high & (table.length / 2 - 1));
    while ((table[slot] != high || table[slot + 1] != low)
        && (table[slot] != 0 || table[slot + 1] != 0)) {
      slot = (slot + 2) & (table.length - 1);
    }
    return slot;
  }

  private void grow() {
    long[] old = table;
    table = new long[old.length * 2];
    for (int i = 0; i < old.length; i += 2) {
      if (old[i] != 0 || old[i + 1] != 0) {
        int slot = slot(table, old[i], old[i + 1]);
        table[slot] = old[i];
        table[slot + 1] = old[i + 1];
      }
    }
  }

  /** Empties the table. */
  private void spill() throws IOException {
    long newer = count;
    int first = runs.size();
    for (int i = runs.size() - 1; i >= 0; i--) {
      first = runs.get(i).count() < FACTOR * newer ? i : first;
      newer += runs.get(i).count();
    }
    merge(first);
  }

  /** Makes one run of what is in the table and of all runs from this one on. */
  private void merge(int first) throws IOException {
    List<DigestRun> merged = runs.subList(first, runs.size());
    try {
      DigestRun larger = merged(merged);
      for (DigestRun run : merged) {
        run.close();
      }
      merged.clear();
      runs.add(larger);
      Arrays.fill(table, 0);
      count = 0;
    } catch (IOException e) {
      failure = e;
      close();
      throw e;
    }
  }

  private DigestRun merged(List<DigestRun> older) throws IOException {
    List<Sorted> sources = new ArrayList<>();
    long most = count;
    sources.add(sortedTable());
    for (DigestRun run : older) {
      sources.add(run.all());
      most += run.count();
    }
    try (DigestRun.Writer writer = new DigestRun.Writer(folder, most)) {
      DigestMerge.of(sources, writer::add);
      return writer.finish();
    }
  }

  private Sorted sortedTable() {
    int filled = 0;
    for (int slot = 0; slot < table.length; slot += 2) {
      if (!isFree(slot)) {
        table[filled] = table[slot];
        table[filled + 1] = table[slot + 1];
        filled += 2;
      }
    }
    return DigestMerge.sorted(table, count);
  }

  /** Gives its files back, unless they are another one's, too; it is no use any more. */
  @Override
  public void close() throws IOException {
    isClosed = true;
    table = new long[2];
    for (DigestRun run : runs) {
      run.close();
    }
    runs.clear();
  }
}
