package org.stellaops.backup.internal.pipeline;

import java.io.IOException;

/** One run of an artifact that can be fetched. */
public interface StoredRun {
  /** Length of its frames, at most 64 MiB. */
  int storedBytes();

  /** Length of its chunks. */
  long plainBytes();

  /** Fetches and decrypts the frames. From any thread. */
  byte[] fetch() throws IOException;

  /** What to call it in a message. */
  String describe();
}
