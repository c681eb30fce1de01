package org.stellaops.backup.internal.repository;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.internal.disk.TemporaryFiles;
import org.stellaops.backup.internal.pipeline.ChunkId;

/**
 * Makes the file of a {@link ChunkRun} of a part of an index of any size, or of several that there
 * are: sorts some MiB at a time into temporary files and merges these. One thread; close it, which
 * removes what it made besides.
 */
final class ChunkRunWriter implements IndexPart.Visitor, Closeable {
  /** Records that are sorted in memory: 3 MiB, and their keys. */
  static final int SORTED_AT_ONCE = 1 << 16;

  private static final int INDEX_BITS = 16;
  private static final int MERGED_AT_ONCE = 64;
  private static final int BUFFER_BYTES = ChunkRun.RECORD_BYTES * 256;

  private final TemporaryFiles temporary;
  private final int sortedAtOnce;
  private final byte[] records;
  private final long[] keys;
  private final List<List<Sorted>> levels = new ArrayList<>();
  private final List<Path> made = new ArrayList<>();
  private final List<Sorted> others = new ArrayList<>();
  private final Path packRows;
  private final DataOutputStream packOut;
  private int buffered;
  private long count;
  private int packs;

  /**
   * Takes packs and chunks.
   *
   * @param temporary the caller's
   */
  ChunkRunWriter(TemporaryFiles temporary) throws IOException {
    this(temporary, SORTED_AT_ONCE);
  }

  /** The same, with less memory than would be sensible but for what is sorted already. */
  ChunkRunWriter(TemporaryFiles temporary, int sortedAtOnce) throws IOException {
    this.temporary = temporary;
    this.sortedAtOnce = sortedAtOnce;
    this.records = new byte[sortedAtOnce * ChunkRun.RECORD_BYTES];
    this.keys = new long[sortedAtOnce];
    this.packRows = fresh();
    this.packOut = out(packRows);
  }

  private Path fresh() throws IOException {
    Path file = temporary.newName();
    made.add(file);
    return file;
  }

  private static DataOutputStream out(Path file) throws IOException {
    return new DataOutputStream(new BufferedOutputStream(PrivateFiles.create(file), BUFFER_BYTES));
  }

  @Override
  public void pack(ObjectRef pack, int chunks) throws IOException {
    packOut.write(pack.stored().bytes());
    packOut.writeLong(pack.lengthBytes());
    packs++;
  }

  @Override
  public void chunk(byte[] id, int offset, int storedBytes, int plainBytes) throws IOException {
    if (buffered == sortedAtOnce) {
      spill();
    }
    int at = buffered * ChunkRun.RECORD_BYTES;
    System.arraycopy(id, 0, records, at, ChunkId.BYTES);
    ByteBuffer.wrap(records, at + ChunkId.BYTES, 16)
        .putInt(packs - 1)
        .putInt(offset)
        .putInt(storedBytes)
        .putInt(plainBytes);
    // The first 47 bits of the id and where it stands: most are sorted without a look at the rest.
    long prefix = ByteBuffer.wrap(records, at, 8).getLong() >>> INDEX_BITS + 1;
    keys[buffered] = prefix << INDEX_BITS | buffered;
    buffered++;
    count++;
  }

  /** Takes all that is in another file, whose packs come behind those that were taken before. */
  void addAll(ChunkRun run) throws IOException {
    others.add(new Sorted(run.path(), ChunkRun.HEADER_BYTES, run.count(), packs));
    try (InputStream in = new FileInputStream(run.path().toFile())) {
      in.skipNBytes(ChunkRun.HEADER_BYTES + run.count() * ChunkRun.RECORD_BYTES);
      InputStream rows =
          BoundedInput.upTo(
              new BufferedInputStream(in, BUFFER_BYTES), (long) run.packs() * ChunkRun.PACK_BYTES);
      if (rows.transferTo(packOut) != (long) run.packs() * ChunkRun.PACK_BYTES) {
        throw new IOException(run.path() + " is cut off");
      }
    }
    packs += run.packs();
    count += run.count();
  }

  private void spill() throws IOException {
    Path file = fresh();
    try (OutputStream out = out(file)) {
      Arrays.sort(keys, 0, buffered);
      for (int from = 0; from < buffered; ) {
        int to = from + 1;
        while (to < buffered && keys[to] >>> INDEX_BITS == keys[from] >>> INDEX_BITS) {
          to++;
        }
        writeAlike(from, to, out);
        from = to;
      }
    }
    keep(new Sorted(file, 0, buffered, 0), 0);
    buffered = 0;
  }

  /** Writes records whose ids begin alike. */
  private void writeAlike(int from, int to, OutputStream out) throws IOException {
    List<Integer> alike = new ArrayList<>();
    for (int i = from; i < to; i++) {
      alike.add((int) (keys[i] & (1 << INDEX_BITS) - 1) * ChunkRun.RECORD_BYTES);
    }
    alike.sort(
        (a, b) ->
            Arrays.compareUnsigned(
                records, a, a + ChunkRun.RECORD_BYTES, records, b, b + ChunkRun.RECORD_BYTES));
    for (int at : alike) {
      out.write(records, at, ChunkRun.RECORD_BYTES);
    }
  }

  /** Where there are too many to merge at once, some are merged into a larger one. */
  private void keep(Sorted sorted, int level) throws IOException {
    if (levels.size() == level) {
      levels.add(new ArrayList<>());
    }
    List<Sorted> same = levels.get(level);
    same.add(sorted);
    if (same.size() == MERGED_AT_ONCE) {
      Path larger = fresh();
      try (OutputStream out = out(larger)) {
        merge(same, (record, at) -> out.write(record, at, ChunkRun.RECORD_BYTES));
      }
      long records = 0;
      for (Sorted merged : same) {
        Files.delete(merged.file());
        records += merged.records();
      }
      same.clear();
      keep(new Sorted(larger, 0, records, 0), level + 1);
    }
  }

  @FunctionalInterface
  private interface Taker {
    void take(byte[] record, int at) throws IOException;
  }

  private static void merge(List<Sorted> sorted, Taker taker) throws IOException {
    List<Source> sources = new ArrayList<>();
    try {
      PriorityQueue<Source> next =
          new PriorityQueue<>(Comparator.comparing(s -> s.record, Arrays::compareUnsigned));
      for (Sorted file : sorted) {
        Source source = new Source(file);
        sources.add(source);
        if (source.advance()) {
          next.add(source);
        }
      }
      for (Source first = next.poll(); first != null; first = next.poll()) {
        taker.take(first.record, 0);
        if (first.advance()) {
          next.add(first);
        }
      }
    } finally {
      for (Source source : sources) {
        source.in.close();
      }
    }
  }

  /**
   * Records in a file, in order.
   *
   * @param firstByte where they begin
   * @param firstPack how many packs come before those that their numbers count
   */
  private record Sorted(Path file, long firstByte, long records, int firstPack) {}

  /** A sorted file that is being read. */
  private static final class Source {
    final byte[] record = new byte[ChunkRun.RECORD_BYTES];
    private final ByteBuffer pack = ByteBuffer.wrap(record, ChunkId.BYTES, 4).slice();
    private final int firstPack;
    private final InputStream in;
    private long left;

    Source(Sorted sorted) throws IOException {
      firstPack = sorted.firstPack();
      left = sorted.records();
      in = new BufferedInputStream(new FileInputStream(sorted.file().toFile()), BUFFER_BYTES);
      in.skipNBytes(sorted.firstByte());
    }

    boolean advance() throws IOException {
      if (left == 0) {
        return false;
      }
      if (in.readNBytes(record, 0, record.length) != record.length) {
        throw new IOException("a record is cut off");
      }
      pack.putInt(0, pack.getInt(0) + firstPack);
      left--;
      return true;
    }
  }

  /** Writes all that was taken to a file that is not there yet. */
  void finish(Path file) throws IOException {
    spill();
    packOut.close();
    List<Sorted> sorted = new ArrayList<>(others);
    levels.forEach(sorted::addAll);
    int bits = ChunkRun.bits(count);
    long[] buckets = new long[(1 << bits) + 1];
    CRC32C sum = new CRC32C();
    try (DataOutputStream out =
        new DataOutputStream(
            new CheckedOutputStream(
                new BufferedOutputStream(PrivateFiles.create(file), BUFFER_BYTES), sum))) {
      out.writeInt(ChunkRun.MAGIC);
      out.writeLong(count);
      out.writeInt(packs);
      out.writeInt(bits);
      merge(
          sorted,
          (record, at) -> {
            buckets[ChunkRun.bucket(record, at, bits) + 1]++;
            out.write(record, at, ChunkRun.RECORD_BYTES);
          });
      Files.copy(packRows, out);
      for (int i = 0; i < buckets.length; i++) {
        buckets[i] += i == 0 ? 0 : buckets[i - 1];
        out.writeLong(buckets[i]);
      }
      out.writeLong(sum.getValue());
    }
  }

  /** Removes every temporary file. */
  @Override
  public void close() throws IOException {
    try (packOut) {
      for (Path file : made) {
        Files.deleteIfExists(file);
      }
    }
  }
}
