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

  /** Counts a run; the digests of its documents are taken as they are. */
  void add(DocumentRun run) {
    crc64.update(run.buffer(), 0, run.length());
    content.add(run.content());
    documents += run.documents();
    bytes += run.length();
  }

  /** What was counted so far. */
  public Tally value() {
    return new Tally(documents, bytes, crc64.value(), content.value());
  }
}
