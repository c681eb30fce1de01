package org.stellaops.backup.internal.repository;

import java.io.Closeable;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.stellaops.backup.internal.disk.ScratchFile;
import org.stellaops.backup.internal.disk.ScratchFolder;

/**
 * Halves of digests in a file, sorted, none twice. Digests are evenly distributed, so the first
 * bits of one are its bucket, and the next ones say about where in the bucket it stands: mostly one
 * read finds it, and where somebody chose them, a binary search does. In memory are only the
 * beginnings of at most 65,536 buckets. From any thread.
 */
final class DigestRun implements Closeable {
  static final int KEY_BYTES = 16;
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  /** Keys that are read at once. */
  private static final int BLOCK = 64;

  private final ScratchFile file;
  private final long count;
  private final int bits;
  private final long[] buckets;
  private final byte[] block = new byte[BLOCK * KEY_BYTES];
  private volatile boolean isShared;

  private DigestRun(ScratchFile file, long count, int bits, long[] buckets) {
    this.file = file;
    this.count = count;
    this.bits = bits;
    this.buckets = buckets;
  }

  /** How many there are. */
  long count() {
    return count;
  }

  /** From now on several sets have it: it is closed when none of them can be reached. */
  void share() {
    isShared = true;
  }

  /** Gives the file back, unless others have it. */
  @Override
  public void close() throws IOException {
    if (!isShared) {
      file.close();
    }
  }

  /** The number of a key among the sorted ones, or -1. */
  synchronized long indexOf(long high, long low) throws IOException {
    int bucket = bucket(high, bits);
    long from = buckets[bucket];
    long to = buckets[bucket + 1];
    long begin = begin(guess(high, from, to), from, to);
    while (from < to) {
      int keys = (int) Math.min(BLOCK, to - begin);
      file.read(begin * KEY_BYTES, block, keys * KEY_BYTES);
      requireInPlace(begin, 0);
      requireInPlace(begin, keys - 1);
      if (compare(high, low, block, 0) < 0) {
        to = begin;
      } else if (compare(high, low, block, keys - 1) > 0) {
        from = begin + keys;
      } else {
        int place = search(high, low, keys);
        return place < 0 ? -1 : begin + place;
      }
      begin = begin((from + to) >>> 1, from, to);
    }
    return -1;
  }

  /** A disk may lose what it took: a key that stands elsewhere would hide others. */
  private void requireInPlace(long begin, int key) throws IOException {
    long high = (long) LONG.get(block, key * KEY_BYTES);
    int bucket = bucket(high, bits);
    boolean isNone = high == 0 && (long) LONG.get(block, key * KEY_BYTES + Long.BYTES) == 0;
    if (isNone || begin + key < buckets[bucket] || begin + key >= buckets[bucket + 1]) {
      throw changed();
    }
  }

  private static IOException changed() {
    return ScratchFile.failed(
        "read again", new IOException("the disk gives back other bytes than it was given"));
  }

  private static int bucket(long high, int bits) {
    return bits == 0 ? 0 : (int) (high >>> (Long.SIZE - bits));
  }

  /** Where it stands if all keys of the bucket are at the same distance. */
  private long guess(long high, long from, long to) {
    double part = (high << bits >>> 11) * 0x1p-53;
    return from + (long) (part * (to - from));
  }

  /** The first key of a block that has this one in its middle. */
  private static long begin(long middle, long from, long to) {
    return Math.max(from, Math.min(middle - BLOCK / 2, to - BLOCK));
  }

  private int search(long high, long low, int keys) {
    int from = 0;
    int to = keys - 1;
    while (from <= to) {
      int middle = (from + to) >>> 1;
      int order = compare(high, low, block, middle);
      if (order == 0) {
        return middle;
      }
      if (order < 0) {
        to = middle - 1;
      } else {
        from = middle + 1;
      }
    }
    return -1;
  }

  private static int compare(long high, long low, byte[] keys, int place) {
    int at = place * KEY_BYTES;
    int order = Long.compareUnsigned(high, (long) LONG.get(keys, at));
    return order != 0 ? order : Long.compareUnsigned(low, (long) LONG.get(keys, at + Long.BYTES));
  }

  /** Sorted keys, one after the other. */
  interface Sorted {
    /** Goes on to the next one; whether there is one. */
    boolean next() throws IOException;

    long high();

    long low();
  }

  /** All of it. */
  Sorted all() {
    return new All();
  }

  private final class All implements Sorted {
    private static final int AT_ONCE = 4096;

    private final byte[] keys = new byte[(int) Math.min(AT_ONCE, count) * KEY_BYTES];
    private long read;
    private int filled;
    private int at = -KEY_BYTES;

    @Override
    public boolean next() throws IOException {
      at += KEY_BYTES;
      if (at >= filled) {
        filled = (int) Math.min(keys.length, (count - read) * KEY_BYTES);
        file.read(read * KEY_BYTES, keys, filled);
        read += filled / KEY_BYTES;
        at = 0;
      }
      return filled > 0;
    }

    @Override
    public long high() {
      return (long) LONG.get(keys, at);
    }

    @Override
    public long low() {
      return (long) LONG.get(keys, at + Long.BYTES);
    }
  }

  /** Makes a run of sorted keys. One thread; close it: what was not finished goes. */
  static final class Writer implements Closeable {
    private static final int AT_ONCE = 4096;

    private final ScratchFile file;
    private final int bits;
    private final long[] buckets;
    private final byte[] keys = new byte[AT_ONCE * KEY_BYTES];
    private int filled;
    private long count;
    private long lastHigh;
    private long lastLow;
    private boolean isFinished;

    /**
     * @param most how many there may be
     */
    Writer(ScratchFolder folder, long most) throws IOException {
      this.bits = ChunkRun.bits(most);
      this.buckets = new long[(1 << bits) + 1];
      this.file = folder.create();
    }

    /** Adds a key that is not less than the last one; the same one again counts once. */
    void add(long high, long low) throws IOException {
      int order = count == 0 ? 1 : DigestMerge.compare(high, low, lastHigh, lastLow);
      if (order == 0) {
        return;
      }
      if (order < 0 || (high == 0 && low == 0)) {
        throw changed();
      }
      LONG.set(keys, filled, high);
      LONG.set(keys, filled + Long.BYTES, low);
      filled += KEY_BYTES;
      buckets[bucket(high, bits) + 1]++;
      count++;
      lastHigh = high;
      lastLow = low;
      if (filled == keys.length) {
        flush();
      }
    }

    private void flush() throws IOException {
      file.append(keys, 0, filled);
      filled = 0;
    }

    /** The run, which the caller closes. */
    DigestRun finish() throws IOException {
      flush();
      for (int i = 1; i < buckets.length; i++) {
        buckets[i] += buckets[i - 1];
      }
      isFinished = true;
      return new DigestRun(file, count, bits, buckets);
    }

    @Override
    public void close() throws IOException {
      if (!isFinished) {
        file.close();
      }
    }
  }
}
