package org.stellaops.backup.internal.repository;

import org.stellaops.backup.model.Digest;

/**
 * Digests in 16 bytes each: so two that agree in their first half count as one. Whoever asks must
 * mean no harm by a digest that is taken for one of these: to keep an object too long, or to store
 * it once more. One thread writes; then any thread reads.
 */
public final class DigestSet {
  private static final int SMALLEST = 64;

  private long[] table = new long[2 * SMALLEST];
  private int count;

  /** Adds a digest; whether it is new. */
  public boolean add(Digest digest) {
    return add(half(digest, 0), half(digest, 16));
  }

  private boolean add(long high, long low) {
    int slot = slot(table, high, low);
    if (isAt(slot, high, low)) {
      return false;
    }
    table[slot] = high;
    table[slot + 1] = low;
    count++;
    if (count * 4L > table.length) {
      grow();
    }
    return true;
  }

  /** Adds all of the other's. */
  public void addAll(DigestSet other) {
    for (int slot = 0; slot < other.table.length; slot += 2) {
      if (!other.isFree(slot)) {
        add(other.table[slot], other.table[slot + 1]);
      }
    }
  }

  /** Whether the digest is among them. */
  public boolean contains(Digest digest) {
    return indexOf(digest) >= 0;
  }

  /** A number of the digest, less than {@link #capacity()}, until another is added; else -1. */
  public int indexOf(Digest digest) {
    long high = half(digest, 0);
    long low = half(digest, 16);
    int slot = slot(table, high, low);
    return isAt(slot, high, low) ? slot / 2 : -1;
  }

  /** One more than the largest number of a digest. */
  public int capacity() {
    return table.length / 2;
  }

  /** How many there are. */
  public int size() {
    return count;
  }

  /** The digits of a SHA-256 from this one on; 0 stands for a free place, and no digest is 0. */
  private static long half(Digest digest, int firstDigit) {
    return Long.parseUnsignedLong(digest.hex(), firstDigit, firstDigit + 16, 16);
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
}
