package org.stellaops.backup.internal.pipeline;

import java.util.Arrays;

/**
 * Where the bytes of an artifact are, in order; neighbours are joined. 24 bytes a run. Grows only.
 */
public final class Runs {
  private static final int WORDS = 3;
  private long[] words = new long[WORDS * 16];
  private int size;
  private long storedBytes;
  private long plainBytes;

  /** Appends a frame. */
  public void add(ChunkPlace place) {
    add(new Run(place.pack(), place.offset(), place.storedBytes(), place.plainBytes()));
  }

  /** Appends frames. */
  public void add(Run next) {
    storedBytes += next.storedBytes();
    plainBytes += next.plainBytes();
    if (size > 0) {
      Run last = get(size - 1);
      boolean isNeighbour =
          last.pack() == next.pack() && last.offset() + last.storedBytes() == next.offset();
      if (isNeighbour) {
        put(
            size - 1,
            new Run(
                last.pack(),
                last.offset(),
                last.storedBytes() + next.storedBytes(),
                last.plainBytes() + next.plainBytes()));
        return;
      }
    }
    append(next);
  }

  private void append(Run run) {
    if ((size + 1) * WORDS > words.length) {
      words = Arrays.copyOf(words, words.length * 2);
    }
    put(size++, run);
  }

  private void put(int index, Run run) {
    words[index * WORDS] = ((long) run.pack() << 32) | run.offset();
    words[index * WORDS + 1] = run.storedBytes();
    words[index * WORDS + 2] = run.plainBytes();
  }

  /** The run at {@code index}. */
  public Run get(int index) {
    long first = words[index * WORDS];
    return new Run(
        (int) (first >>> 32),
        (int) first,
        (int) words[index * WORDS + 1],
        words[index * WORDS + 2]);
  }

  /** How many. */
  public int size() {
    return size;
  }

  /** Sum of the frames' lengths. */
  public long storedBytes() {
    return storedBytes;
  }

  /** Sum of the chunks' lengths. */
  public long plainBytes() {
    return plainBytes;
  }
}
