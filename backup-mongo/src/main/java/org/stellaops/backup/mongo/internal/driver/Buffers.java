package org.stellaops.backup.mongo.internal.driver;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Large buffers that are used again: a fresh one for each reply is a fresh page fault for each page
 * of it. Keeps as many as were in use together. Any thread.
 */
public final class Buffers {
  /** Small ones are cheaper made than kept. */
  private static final int MIN_KEPT_BYTES = 256 << 10;

  private final Deque<byte[]> free = new ArrayDeque<>();

  /** One of at least this size. */
  synchronized byte[] take(int bytes) {
    if (bytes < MIN_KEPT_BYTES) {
      return new byte[bytes];
    }
    byte[] kept = free.pollFirst();
    return kept != null && kept.length >= bytes ? kept : new byte[roundUp(bytes)];
  }

  /** Gives one back. */
  public synchronized void release(byte[] buffer) {
    if (buffer.length >= MIN_KEPT_BYTES) {
      free.addFirst(buffer);
    }
  }

  /** An eighth of room, so that batches which differ a little fit into the same buffer. */
  private static int roundUp(int bytes) {
    return bytes + (bytes >>> 3);
  }
}
