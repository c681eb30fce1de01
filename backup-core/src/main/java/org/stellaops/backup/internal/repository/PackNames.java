package org.stellaops.backup.internal.repository;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.stellaops.backup.model.Digest;

/**
 * Names of many packs of one writer, numbered in the order in which they were added: 40 bytes each
 * in an array, found through an open-addressed table of half its slots. One thread adds; then any
 * thread reads.
 */
public final class PackNames {
  private static final int DIGEST_BYTES = 32;
  private static final int ROW_BYTES = DIGEST_BYTES + Long.BYTES;
  private static final int FREE = -1;
  private static final int SMALLEST = 16;

  private final String writer;
  private byte[] rows = new byte[ROW_BYTES * SMALLEST];
  private int[] table = freeTable(2 * SMALLEST);
  private int size;

  /** None. */
  public PackNames(String writer) {
    this.writer = writer;
  }

  private static int[] freeTable(int slots) {
    int[] table = new int[slots];
    Arrays.fill(table, FREE);
    return table;
  }

  /** How many there are. */
  public int size() {
    return size;
  }

  /** The number of a pack; the next one, if it is new. */
  public int add(ObjectRef pack) {
    byte[] row = row(pack);
    int slot = slotOf(row, 0);
    if (table[slot] != FREE) {
      return table[slot];
    }
    if ((size + 1) * ROW_BYTES > rows.length) {
      grow();
      slot = slotOf(row, 0);
    }
    System.arraycopy(row, 0, rows, size * ROW_BYTES, ROW_BYTES);
    table[slot] = size;
    return size++;
  }

  private static byte[] row(ObjectRef pack) {
    return ByteBuffer.allocate(ROW_BYTES)
        .put(pack.stored().bytes())
        .putLong(pack.lengthBytes())
        .array();
  }

  /** Where a row stands in the table, or would. Digests are their own hash. */
  private int slotOf(byte[] in, int at) {
    int slot = ByteBuffer.wrap(in).getInt(at) & (table.length - 1);
    while (table[slot] != FREE && !isRow(table[slot], in, at)) {
      slot = (slot + 1) & (table.length - 1);
    }
    return slot;
  }

  private boolean isRow(int number, byte[] in, int at) {
    int from = number * ROW_BYTES;
    return Arrays.equals(rows, from, from + ROW_BYTES, in, at, at + ROW_BYTES);
  }

  private void grow() {
    rows = Arrays.copyOf(rows, rows.length * 2);
    table = freeTable(table.length * 2);
    for (int number = 0; number < size; number++) {
      table[slotOf(rows, number * ROW_BYTES)] = number;
    }
  }

  /** The number of a pack; -1 if it is not among them. */
  public int indexOf(ObjectRef pack) {
    return table[slotOf(row(pack), 0)];
  }

  /** The pack with this number. */
  public ObjectRef get(int number) {
    int at = number * ROW_BYTES;
    return Names.pack(
        writer,
        Digest.of(Arrays.copyOfRange(rows, at, at + DIGEST_BYTES)),
        ByteBuffer.wrap(rows).getLong(at + DIGEST_BYTES));
  }
}
