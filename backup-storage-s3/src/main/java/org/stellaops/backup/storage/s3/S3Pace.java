package org.stellaops.backup.storage.s3;

import java.time.Duration;
import java.util.concurrent.Executor;

/**
 * How much at once, and how often again.
 *
 * @param partBytes of an object that is uploaded in parts; grows where 10,000 of them are not
 *     enough
 * @param memoryBytes that the parts of one object may take
 * @param singleBytes up to which an object is uploaded in one request
 * @param parallelism most parts of one object at a time
 * @param executor runs the parts
 * @param attempts of each request; the first one counts
 * @param firstDelay before the second attempt; doubles
 * @param strayAge how old an unfinished upload is before it is taken for a dead process's
 * @param pageSize most objects of a page
 * @param singleCopyBytes up to which an object is copied in one request
 */
record S3Pace(
    long partBytes,
    long memoryBytes,
    long singleBytes,
    int parallelism,
    Executor executor,
    int attempts,
    Duration firstDelay,
    Duration strayAge,
    int pageSize,
    long singleCopyBytes) {
  static final long MEBIBYTE = 1 << 20;

  /** S3's limit on the parts of an upload. */
  static final int MAX_PARTS = 10_000;

  /** S3's limit on an object. */
  static final long MAX_OBJECT_BYTES = 5L << 40;

  /** S3's limit on a part but the last. */
  static final long MIN_PART_BYTES = 5 * MEBIBYTE;

  /** S3's limit on one request that copies. */
  private static final long MAX_COPY_BYTES = 5L << 30;

  static final S3Pace STANDARD =
      new S3Pace(
          16 * MEBIBYTE,
          64 * MEBIBYTE,
          64 * MEBIBYTE,
          1,
          Runnable::run,
          5,
          Duration.ofMillis(200),
          Duration.ofHours(24),
          1000,
          MAX_COPY_BYTES);

  /** The size of the parts of an object, so that {@link #MAX_PARTS} are enough. */
  long partBytesOf(long lengthBytes) {
    long needed = (lengthBytes + MAX_PARTS - 1) / MAX_PARTS;
    long rounded = (needed + MEBIBYTE - 1) / MEBIBYTE * MEBIBYTE;
    return Math.max(partBytes, rounded);
  }

  /** The largest object whose parts the memory holds. */
  long maxObjectBytes() {
    return Math.min(MAX_OBJECT_BYTES, MAX_PARTS * (memoryBytes / MEBIBYTE * MEBIBYTE));
  }

  /** How many parts of that size may be in memory at once. */
  int partsInMemory(long ofBytes) {
    return (int) Math.max(1, Math.min(parallelism, memoryBytes / ofBytes));
  }
}
