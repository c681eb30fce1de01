package org.stellaops.backup.internal.pipeline;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Objects;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * The chunks of an artifact in their order, each by its length and CRC-32C, as a writer remembers
 * them: whoever meets the first bytes of a chunk again can look at its end whether it is the same
 * chunk, instead of searching its bytes for a cut.
 *
 * <p>A checksum that is equal by chance makes a cut that a search would not have made; chunks are
 * named by a MAC in any case, so that costs space and nothing else. At most {@link #MAX_CHUNKS}.
 */
public final class Cuts {
  /** About 1 TB of files; what is behind is searched. */
  static final int MAX_CHUNKS = 1 << 20;

  private static final byte[] MAGIC = {'S', 'B', 'C', '1'};
  private static final int NONE = -1;

  private final int[] lengths;
  private final int[] checksums;
  private final int[] table;

  private Cuts(int[] lengths, int[] checksums) {
    this.lengths = lengths;
    this.checksums = checksums;
    this.table = new int[Integer.highestOneBit(Math.max(1, lengths.length)) * 4];
    Arrays.fill(table, NONE);
    for (int i = 0; i < lengths.length; i++) {
      if (lengths[i] > 0 && after(lengths[i], checksums[i]) == NONE) {
        table[freeSlot(checksums[i])] = i;
      }
    }
  }

  /** None: everything is searched. */
  public static Cuts none() {
    return new Cuts(new int[0], new int[0]);
  }

  /** How many chunks. */
  public int size() {
    return lengths.length;
  }

  /** Length of a chunk that was cut by its content; 0 of one that ended for another reason. */
  int length(int chunk) {
    return chunk >= 0 && chunk < lengths.length ? lengths[chunk] : 0;
  }

  int checksum(int chunk) {
    return checksums[chunk];
  }

  /** Place behind the next chunk from here on that ended for another reason, or -1. */
  int afterEnd(int from) {
    for (int i = Math.max(0, from); i < lengths.length; i++) {
      if (lengths[i] == 0) {
        return i + 1;
      }
    }
    return NONE;
  }

  /** Place behind the first chunk like this one, or -1. */
  int after(int length, int checksum) {
    for (int slot = slot(checksum); table[slot] != NONE; slot = next(slot)) {
      int chunk = table[slot];
      if (lengths[chunk] == length && checksums[chunk] == checksum) {
        return chunk + 1;
      }
    }
    return NONE;
  }

  private int freeSlot(int checksum) {
    int slot = slot(checksum);
    while (table[slot] != NONE) {
      slot = next(slot);
    }
    return slot;
  }

  private int slot(int checksum) {
    return checksum & (table.length - 1);
  }

  private int next(int slot) {
    return (slot + 1) & (table.length - 1);
  }

  /** Writes them. */
  public void writeTo(OutputStream stream) throws IOException {
    DataOutputStream out = new DataOutputStream(stream);
    out.write(MAGIC);
    out.writeInt(lengths.length);
    for (int i = 0; i < lengths.length; i++) {
      out.writeInt(lengths[i]);
      out.writeInt(checksums[i]);
    }
    out.flush();
  }

  /**
   * Reads them.
   *
   * @param stream stays open
   * @param what to call it in a message
   * @throws BackupException.Corrupt MALFORMED
   */
  public static Cuts read(InputStream stream, String what) throws IOException {
    try {
      return read(new DataInputStream(stream));
    } catch (EOFException | IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new BackupException.Corrupt(CoreFailure.MALFORMED, what + " holds no cuts", e);
    }
  }

  private static Cuts read(DataInputStream in) throws IOException {
    if (!Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) {
      throw new IllegalArgumentException("another beginning");
    }
    int size = Objects.checkIndex(in.readInt(), MAX_CHUNKS + 1);
    int[] lengths = new int[size];
    int[] checksums = new int[size];
    for (int i = 0; i < size; i++) {
      lengths[i] = Objects.checkIndex(in.readInt(), Gear.MAX_BYTES + 1);
      checksums[i] = in.readInt();
    }
    return new Cuts(lengths, checksums);
  }

  /** Takes chunks as they are cut. */
  static final class Recorder {
    private int[] lengths = new int[16];
    private int[] checksums = new int[16];
    private int size;

    /** A chunk that was cut by its content; length 0 for any other. */
    void add(int length, int checksum) {
      if (size == MAX_CHUNKS) {
        return;
      }
      if (size == lengths.length) {
        lengths = Arrays.copyOf(lengths, size * 2);
        checksums = Arrays.copyOf(checksums, size * 2);
      }
      lengths[size] = length;
      checksums[size++] = checksum;
    }

    Cuts cuts() {
      return new Cuts(Arrays.copyOf(lengths, size), Arrays.copyOf(checksums, size));
    }
  }
}
