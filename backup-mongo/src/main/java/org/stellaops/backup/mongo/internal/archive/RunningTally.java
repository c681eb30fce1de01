package org.stellaops.backup.mongo.internal.archive;

/** A {@link Tally} that grows. */
public final class RunningTally {
  private final Crc64 crc64 = new Crc64();
  private final ContentDigest content = new ContentDigest();
  private long documents;
  private long bytes;

  /** Counts one document. */
  public void add(byte[] buffer, int offset, int length) {
    crc64.update(buffer, offset, length);
    content.add(buffer, offset, length);
    documents++;
    bytes += length;
  }

  /** What was counted so far. */
  public Tally value() {
    return new Tally(documents, bytes, crc64.value(), content.value());
  }
}
