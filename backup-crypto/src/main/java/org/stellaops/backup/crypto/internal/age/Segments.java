package org.stellaops.backup.crypto.internal.age;

import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * Where the segments of a payload are (age-encryption.org/v1, "Payload"): each holds 64 KiB but the
 * last, which holds 1 to 65536 bytes, or 0 if the payload is empty.
 *
 * @param start of the first segment, in stored bytes from the beginning of the file
 * @param count at least 1
 * @param plainBytes of all
 */
record Segments(long start, long count, long plainBytes) {
  /** Plain bytes of a segment. */
  static final int PLAIN_BYTES = 64 * 1024;

  /** Poly1305's tag behind each segment. */
  static final int TAG_BYTES = 16;

  /** Stored bytes of a segment. */
  static final int SEALED_BYTES = PLAIN_BYTES + TAG_BYTES;

  /**
   * @param payloadBytes stored bytes from {@code start} to the end of the file
   */
  static Segments of(long start, long payloadBytes) throws BackupException.Corrupt {
    long count = Math.max(1, (payloadBytes + SEALED_BYTES - 1) / SEALED_BYTES);
    long lastBytes = payloadBytes - (count - 1) * SEALED_BYTES;
    if (lastBytes < TAG_BYTES || (lastBytes == TAG_BYTES && count > 1)) {
      throw new BackupException.Corrupt(
          CoreFailure.TRUNCATED,
          "age file ends inside a segment: segment %d has %d stored bytes, too few for one"
              .formatted(count - 1, Math.max(0, lastBytes)));
    }
    return new Segments(start, count, payloadBytes - count * TAG_BYTES);
  }

  /** The segment that holds a plain byte; the last one for what is at the end or behind it. */
  long indexOf(long plainOffset) {
    return Math.min(plainOffset / PLAIN_BYTES, count - 1);
  }

  long storedOffset(long index) {
    return start + index * SEALED_BYTES;
  }

  /** Stored bytes from one segment to another, that one included. */
  long storedBytes(long first, long last) {
    long end = last == count - 1 ? start + plainBytes + count * TAG_BYTES : storedOffset(last + 1);
    return end - storedOffset(first);
  }
}
