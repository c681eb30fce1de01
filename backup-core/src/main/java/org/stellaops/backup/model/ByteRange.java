package org.stellaops.backup.model;

/**
 * A range of bytes. A range that reaches past the end means: up to the end.
 *
 * @param offset first byte, 0 or more
 * @param lengthBytes how many, 0 or more
 */
public record ByteRange(long offset, long lengthBytes) {
  /** Everything. */
  public static final ByteRange ALL = new ByteRange(0, Long.MAX_VALUE);

  public ByteRange {
    if (offset < 0 || lengthBytes < 0) {
      throw new IllegalArgumentException("negative range: " + offset + "+" + lengthBytes);
    }
  }

  /** First byte behind this range in something of {@code totalBytes}. */
  public long endIn(long totalBytes) {
    return offset >= totalBytes ? totalBytes : offset + Math.min(lengthBytes, totalBytes - offset);
  }
}
