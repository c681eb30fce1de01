package org.stellaops.backup.mongo.internal.capture;

import org.stellaops.backup.spi.CaptureSession;

/** How far a capture is. A pass that is repeated is told of when it gets further than the last. */
final class Progress {
  private final CaptureSession session;
  private final long expectedBytes;
  private long bytes;
  private long documents;
  private long toldBytes;
  private long toldDocuments;

  Progress(CaptureSession session, long expectedBytes) {
    this.session = session;
    this.expectedBytes = expectedBytes;
  }

  /** Everything is read again. */
  void restart() {
    bytes = 0;
    documents = 0;
  }

  void add(long moreBytes, long moreDocuments) {
    bytes += moreBytes;
    documents += moreDocuments;
    tell();
  }

  void tell() {
    toldBytes = Math.max(toldBytes, bytes);
    toldDocuments = Math.max(toldDocuments, documents);
    session.progress(toldBytes, toldDocuments, Math.max(toldBytes, expectedBytes));
  }
}
