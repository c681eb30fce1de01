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
import java.util.UUID;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.internal.pipeline.ChunkId;

/**
 * Makes the file of a {@link ChunkRun} of a part of an index of any size: sorts some MiB at a time
 * into files beside it and merges these. One thread; close it, which removes what it made besides.
 */
final class ChunkRunWriter implements IndexPart.Visitor, Closeable {
  /** Records that are sorted in memory: 3 MiB, and their keys. */
  private static final int SORTED_AT_ONCE = 1 << 16;

  private static final int INDEX_BITS = 16;
  private static final int MERGED_AT_ONCE = 64;
  private static final int BUFFER_BYTES = ChunkRun.RECORD_BYTES * 256;

  private final Path folder;
  private final int sortedAtOnce;
  private final byte[] records;
  private final long[] keys;
  private final List<List<Path>> levels = new ArrayList<>();
  private final List<Path> made = new ArrayList<>();
  private final Path packRows;
  private final DataOutputStream packOut;
  private int buffered;
  private long count;
  private int packs;

  /**
   * @param folder where temporary files go
   */
  ChunkRunWriter(Path folder) throws IOException {
    this(folder, SORTED_AT_ONCE);
  }

  /** The same, with less memory than would be sensible. */
  ChunkRunWriter(Path folder, int sortedAtOnce) throws IOException {
    this.folder = folder;
    this.sortedAtOnce = sortedAtOnce;
    this.records = new byte[sortedAtOnce * ChunkRun.RECORD_BYTES];
    this.keys = new long[sortedAtOnce];
    this.packRows = fresh();
    this.packOut = out(packRows);
  }

  private Path fresh() {
    Path file = folder.resolve("~" + UUID.randomUUID());
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
    buffered = 0;
    keep(file, 0);
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
  private void keep(Path sorted, int level) throws IOException {
    if (levels.size() == level) {
      levels.add(new ArrayList<>());
    }
    List<Path> same = levels.get(level);
    same.add(sorted);
    if (same.size() == MERGED_AT_ONCE) {
      Path larger = fresh();
      try (OutputStream out = out(larger)) {
        merge(same, (record, at) -> out.write(record, at, ChunkRun.RECORD_BYTES));
      }
      for (Path merged : same) {
        Files.delete(merged);
      }
      same.clear();
      keep(larger, level + 1);
    }
  }

  @FunctionalInterface
  private interface Taker {
    void take(byte[] record, int at) throws IOException;
  }

  private static void merge(List<Path> sorted, Taker taker) throws IOException {
    List<Source> sources = new ArrayList<>();
    try {
      PriorityQueue<Source> next =
          new PriorityQueue<>(Comparator.comparing(s -> s.record, Arrays::compareUnsigned));
      for (Path file : sorted) {
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

  /** A sorted file that is being read. */
  private static final class Source {
    final byte[] record = new byte[ChunkRun.RECORD_BYTES];
    private final InputStream in;

    Source(Path file) throws IOException {
      in = new BufferedInputStream(new FileInputStream(file.toFile()), BUFFER_BYTES);
    }

    boolean advance() throws IOException {
      int n = in.readNBytes(record, 0, record.length);
      if (n != 0 && n != record.length) {
        throw new IOException("a record is cut off");
      }
      return n > 0;
    }
  }

  /** Writes all that was taken to a file that is not there yet. */
  void finish(Path file) throws IOException {
    spill();
    packOut.close();
    List<Path> sorted = levels.stream().flatMap(List::stream).toList();
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
