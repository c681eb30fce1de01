package org.stellaops.backup.mongo.internal.archive;

import java.io.IOException;

/** Takes documents as bytes. */
@FunctionalInterface
public interface DocumentSink {
  /** Takes one document; {@code buffer} is valid until this returns. */
  void document(byte[] buffer, int offset, int length) throws IOException;
}
