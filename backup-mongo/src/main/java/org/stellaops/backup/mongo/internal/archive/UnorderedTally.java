package org.stellaops.backup.mongo.internal.archive;

/**
 * What documents come to that are read in no order in particular: a {@link Tally} without a CRC,
 * which would say nothing of them.
 */
public final class UnorderedTally {
  private final ContentDigest content = new ContentDigest();
  private long documents;
  private long bytes;

  /**
   * Counts documents that follow each other without anything in between.
   *
   * @param length of all, from the buffer's beginning
   * @throws IllegalArgumentException if their lengths do not come to that
   */
  public void add(byte[] buffer, int length) {
    int at = 0;
    while (at < length) {
      int size = length - at < ArchiveFormat.MIN_DOCUMENT_BYTES ? 0 : size(buffer, at);
      if (size < ArchiveFormat.MIN_DOCUMENT_BYTES || size > length - at) {
        throw new IllegalArgumentException("a document of %d bytes".formatted(size));
      }
      content.add(buffer, at, size);
      documents++;
      at += size;
    }
    bytes += length;
  }

  private static int size(byte[] buffer, int at) {
    return (buffer[at] & 0xff)
        | (buffer[at + 1] & 0xff) << 8
        | (buffer[at + 2] & 0xff) << 16
        | (buffer[at + 3] & 0xff) << 24;
  }

  /** What was counted so far; its CRC is that of nothing. */
  public Tally value() {
    return new Tally(documents, bytes, 0, content.value());
  }
}
