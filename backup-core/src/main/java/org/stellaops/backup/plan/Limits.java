package org.stellaops.backup.plan;

/**
 * What a run may use.
 *
 * @param memoryBytes about how much heap and native memory the pipeline may use, at least 32 MiB
 * @param parallelism how many threads compress and encrypt at once, 1 to 64
 * @param compressionLevel of zstd, 1 to 19
 * @param blockBytes at which large files in database tars are cut: a power of two, 8 KiB to 2 MiB
 */
public record Limits(long memoryBytes, int parallelism, int compressionLevel, int blockBytes) {
  /** 96 MiB, two threads, zstd level 3, blocks of 64 KiB. */
  public static Limits defaults() {
    return new Limits(96L << 20, 2, 3, 64 << 10);
  }

  /** The same with another memory budget. */
  public Limits memory(long bytes) {
    return new Limits(bytes, parallelism, compressionLevel, blockBytes);
  }

  /** The same with another number of threads. */
  public Limits parallelism(int threads) {
    return new Limits(memoryBytes, threads, compressionLevel, blockBytes);
  }

  /** The same with another zstd level. */
  public Limits compression(int level) {
    return new Limits(memoryBytes, parallelism, level, blockBytes);
  }

  /** The same with another block size for database files. */
  public Limits blocks(int bytes) {
    return new Limits(memoryBytes, parallelism, compressionLevel, bytes);
  }
}
