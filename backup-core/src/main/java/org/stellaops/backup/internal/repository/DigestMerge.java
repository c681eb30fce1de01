package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.internal.repository.DigestRun.Sorted;

/** Sorts keys of two longs, unsigned, and merges what is sorted. One thread. */
final class DigestMerge {
  private DigestMerge() {}

  /** Takes a key. */
  @FunctionalInterface
  interface Taker {
    void take(long high, long low) throws IOException;
  }

  /** Hands over the keys of all, in order; one that several have comes as often as they have it. */
  static void of(List<Sorted> sources, Taker taker) throws IOException {
    List<Sorted> left = new ArrayList<>();
    for (Sorted source : sources) {
      if (source.next()) {
        left.add(source);
      }
    }
    while (!left.isEmpty()) {
      Sorted least = least(left);
      taker.take(least.high(), least.low());
      if (!least.next()) {
        left.remove(least);
      }
    }
  }

  /** There are few. */
  private static Sorted least(List<Sorted> sources) {
    Sorted least = sources.get(0);
    for (int i = 1; i < sources.size(); i++) {
      Sorted other = sources.get(i);
      if (compare(other.high(), other.low(), least.high(), least.low()) < 0) {
        least = other;
      }
    }
    return least;
  }

  static int compare(long high, long low, long otherHigh, long otherLow) {
    int order = Long.compareUnsigned(high, otherHigh);
    return order != 0 ? order : Long.compareUnsigned(low, otherLow);
  }

  /**
   * Sorts the first keys of an array where they are: a heap sort, which takes no memory, and no
   * longer if somebody chose the keys.
   */
  static Sorted sorted(long[] keys, int count) {
    for (int root = count / 2 - 1; root >= 0; root--) {
      sink(keys, root, count, keys[2 * root], keys[2 * root + 1]);
    }
    for (int last = count - 1; last > 0; last--) {
      long high = keys[2 * last];
      long low = keys[2 * last + 1];
      keys[2 * last] = keys[0];
      keys[2 * last + 1] = keys[1];
      sink(keys, 0, last, high, low);
    }
    return new InMemory(keys, count);
  }

  /** Puts a key where no larger one is below it, from the free place {@code root} on. */
  private static void sink(long[] keys, int root, int count, long high, long low) {
    int free = root;
    for (int child = 2 * free + 1; child < count; child = 2 * free + 1) {
      if (child + 1 < count && isLess(keys, child, keys[2 * child + 2], keys[2 * child + 3])) {
        child++;
      }
      if (!isLess(high, low, keys, child)) {
        break;
      }
      keys[2 * free] = keys[2 * child];
      keys[2 * free + 1] = keys[2 * child + 1];
      free = child;
    }
    keys[2 * free] = high;
    keys[2 * free + 1] = low;
  }

  private static boolean isLess(long[] keys, int place, long high, long low) {
    return compare(keys[2 * place], keys[2 * place + 1], high, low) < 0;
  }

  private static boolean isLess(long high, long low, long[] keys, int place) {
    return compare(high, low, keys[2 * place], keys[2 * place + 1]) < 0;
  }

  private static final class InMemory implements Sorted {
    private final long[] keys;
    private final int count;
    private int at = -1;

    InMemory(long[] keys, int count) {
      this.keys = keys;
      this.count = count;
    }

    @Override
    public boolean next() {
      return ++at < count;
    }

    @Override
    public long high() {
      return keys[2 * at];
    }

    @Override
    public long low() {
      return keys[2 * at + 1];
    }
  }
}
