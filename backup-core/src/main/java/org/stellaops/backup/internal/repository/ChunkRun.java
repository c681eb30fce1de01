package org.stellaops.backup.internal.repository;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import org.stellaops.backup.internal.pipeline.ChunkId;
import org.stellaops.backup.internal.pipeline.ChunkPlace;
import org.stellaops.backup.model.Digest;

/**
 * The chunks of one part of an index, in a local file that never changes: records sorted by id,
 * then the packs, then where each bucket of ids begins. Ids are evenly distributed, so their first
 * bits are the bucket; only the beginnings of at most 65,536 buckets are in memory.
 *
 * <p>The file is a cache. Its length and checksum are compared when it is opened, and what does not
 * check out is an IOException: it is made again from the part. The checksum stops accidents; who
 * can write to a workspace can mislead the writer whose workspace it is.
 *
 * <p>Read through {@link RandomAccessFile}: an interrupt would close a channel for all. From any
 * thread.
 */
final class ChunkRun implements Closeable {
  static final int MAGIC = 0x53425231;
  static final int HEADER_BYTES = 4 + 8 + 4 + 4;
  static final int RECORD_BYTES = ChunkId.BYTES + 4 * 4;
  static final int PACK_BYTES = 32 + 8;
  private static final int CHECKSUM_BYTES = 8;
  private static final int MOST_BITS = 16;
  private static final int CHUNKS_OF_A_BUCKET = 64;

  /** Records or packs that are read at once. */
  private static final int BLOCK = 256;

  private final Path path;
  private final RandomAccessFile file;
  private final long count;
  private final int packs;
  private final long[] buckets;
  private final byte[] block = new byte[BLOCK * RECORD_BYTES];

  private ChunkRun(Path path, RandomAccessFile file, long count, int packs, long[] buckets) {
    this.path = path;
    this.file = file;
    this.count = count;
    this.packs = packs;
    this.buckets = buckets;
  }

  /** How many bits of an id say its bucket. */
  static int bits(long chunks) {
    return Math.min(MOST_BITS, 63 - Long.numberOfLeadingZeros(chunks / CHUNKS_OF_A_BUCKET | 1));
  }

  /** The bucket of the id that begins there. */
  static int bucket(byte[] ids, int at, int bits) {
    return ((ids[at] & 0xff) << 8 | ids[at + 1] & 0xff) >>> MOST_BITS - bits;
  }

  /**
   * Opens a file and compares its checksum.
   *
   * @throws IOException if it is not there, or not whole
   */
  static ChunkRun open(Path path) throws IOException {
    CRC32C sum = new CRC32C();
    try (DataInputStream in =
        new DataInputStream(
            new CheckedInputStream(
                new BufferedInputStream(new FileInputStream(path.toFile()), 1 << 16), sum))) {
      int magic = in.readInt();
      long count = in.readLong();
      int packs = in.readInt();
      int bits = in.readInt();
      long length = path.toFile().length();
      if (magic != MAGIC
          || count < 0
          || packs < 0
          || bits != bits(count)
          || length != lengthBytes(count, packs, bits)) {
        throw new IOException(path + " has another form");
      }
      in.skipNBytes(count * RECORD_BYTES + (long) packs * PACK_BYTES);
      long[] buckets = new long[(1 << bits) + 1];
      for (int i = 0; i < buckets.length; i++) {
        buckets[i] = in.readLong();
      }
      long expected = sum.getValue();
      if (in.readLong() != expected) {
        throw new IOException(path + " has another checksum");
      }
      return new ChunkRun(path, new RandomAccessFile(path.toFile(), "r"), count, packs, buckets);
    }
  }

  private static long lengthBytes(long count, int packs, int bits) {
    return HEADER_BYTES
        + count * RECORD_BYTES
        + (long) packs * PACK_BYTES
        + ((1L << bits) + 1) * Long.BYTES
        + CHECKSUM_BYTES;
  }

  /** Where it was opened; it need not be there any more. */
  Path path() {
    return path;
  }

  /** How many chunks there are, each counted as often as it is stored. */
  long count() {
    return count;
  }

  /** How many packs there are. */
  int packs() {
    return packs;
  }

  /** One of them. */
  synchronized ObjectRef pack(int number, String writer) throws IOException {
    byte[] row = new byte[PACK_BYTES];
    readPacks(number, row, 1);
    return pack(row, 0, writer);
  }

  /** Hands over all of them with their numbers, in order. */
  synchronized void forEachPack(String writer, PackTaker taker) throws IOException {
    byte[] rows = new byte[BLOCK * PACK_BYTES];
    for (int first = 0; first < packs; first += BLOCK) {
      int some = Math.min(BLOCK, packs - first);
      readPacks(first, rows, some);
      for (int i = 0; i < some; i++) {
        taker.take(pack(rows, i * PACK_BYTES, writer), first + i);
      }
    }
  }

  private void readPacks(int first, byte[] rows, int some) throws IOException {
    file.seek(HEADER_BYTES + count * RECORD_BYTES + (long) first * PACK_BYTES);
    file.readFully(rows, 0, some * PACK_BYTES);
  }

  private static ObjectRef pack(byte[] rows, int at, String writer) {
    Digest stored = Digest.of(Arrays.copyOfRange(rows, at, at + 32));
    return Names.pack(writer, stored, ByteBuffer.wrap(rows).getLong(at + 32));
  }

  /**
   * Where a chunk is.
   *
   * @param isPresent which packs count
   */
  synchronized Optional<ChunkPlace> find(ChunkId wanted, IntPredicate isPresent)
      throws IOException {
    byte[] id = new byte[ChunkId.BYTES];
    wanted.copyTo(id, 0);
    int bucket = bucket(id, 0, bits(count));
    long first = lowerBound(id, buckets[bucket], buckets[bucket + 1]);
    for (long at = first; at < buckets[bucket + 1]; at += BLOCK) {
      int records = (int) Math.min(BLOCK, buckets[bucket + 1] - at);
      read(at, records);
      for (int i = 0; i < records; i++) {
        int order = compare(id, i);
        if (order < 0) {
          return Optional.empty();
        }
        ByteBuffer place = ByteBuffer.wrap(block, i * RECORD_BYTES + ChunkId.BYTES, 16);
        int pack = place.getInt();
        if (order == 0 && isPresent.test(pack)) {
          return Optional.of(new ChunkPlace(pack, place.getInt(), place.getInt(), place.getInt()));
        }
      }
    }
    return Optional.empty();
  }

  /** At most a block before the first record with this id. */
  private long lowerBound(byte[] id, long from, long to) throws IOException {
    long low = from;
    long high = to;
    while (high - low > BLOCK) {
      long middle = (low + high) >>> 1;
      read(middle, 1);
      if (compare(id, 0) > 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private int compare(byte[] id, int record) {
    int at = record * RECORD_BYTES;
    return Arrays.compareUnsigned(id, 0, id.length, block, at, at + id.length);
  }

  private void read(long first, int records) throws IOException {
    file.seek(HEADER_BYTES + first * RECORD_BYTES);
    file.readFully(block, 0, records * RECORD_BYTES);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
