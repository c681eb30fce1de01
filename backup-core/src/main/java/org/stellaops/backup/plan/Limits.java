package org.stellaops.backup.plan;

/**
 * What a run may use.
 *
 * @param memoryBytes about how much heap and native memory the pipeline may use, at least 32 MiB;
 *     besides it, an eighth of what is beyond that is for the index of new chunks, of which an
 *     engine with a workspace has the rest in files
 * @param parallelism how many threads compress and encrypt at once, 1 to 64
 * @param compressionLevel of zstd, 1 to 19
 * @param blockBytes at which large files in database tars are cut: a power of two, 8 KiB to 2 MiB
 * @param bytesPerSecond how much of packs is sent to the store in a second, by all runs of an
 *     engine together; at least 1 KiB, or {@link Long#MAX_VALUE} for as much as it takes
 */
public record Limits(
    long memoryBytes, int parallelism, int compressionLevel, int blockBytes, long bytesPerSecond) {
  /** Sends as fast as the store takes it. */
  public Limits(long memoryBytes, int parallelism, int compressionLevel, int blockBytes) {
    this(memoryBytes, parallelism, compressionLevel, blockBytes, Long.MAX_VALUE);
  }

  /** 96 MiB, two threads, zstd level 3, blocks of 64 KiB. */
  public static Limits defaults() {
    return new Limits(96L << 20, 2, 3, 64 << 10);
  }

  /** The same with another memory budget. */
  public Limits memory(long bytes) {
    return new Limits(bytes, parallelism, compressionLevel, blockBytes, bytesPerSecond);
  }

  /** The same with another number of threads. */
  public Limits parallelism(int threads) {
    return new Limits(memoryBytes, threads, compressionLevel, blockBytes, bytesPerSecond);
  }

  /** The same with another zstd level. */
  public Limits compression(int level) {
    return new Limits(memoryBytes, parallelism, level, blockBytes, bytesPerSecond);
  }

  /** The same with another block size for database files. */
  public Limits blocks(int bytes) {
    return new Limits(memoryBytes, parallelism, compressionLevel, bytes, bytesPerSecond);
  }

  /** The same with so many bytes of packs a second, so that others get something of the line. */
  public Limits throttle(long bytesPerSecond) {
    return new Limits(memoryBytes, parallelism, compressionLevel, blockBytes, bytesPerSecond);
  }
}
