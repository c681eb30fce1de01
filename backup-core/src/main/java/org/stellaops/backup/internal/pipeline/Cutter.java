package org.stellaops.backup.internal.pipeline;

import java.io.IOException;

/** Decides where chunks end. One for each artifact; one thread. */
interface Cutter {
  /** Passes bytes on to {@code chunks}, ending chunks on the way. */
  void write(byte[] bytes, int offset, int length, Chunks chunks) throws IOException;

  /** Where bytes of chunks go. */
  interface Chunks {
    /** Bytes of the current chunk, never more than its room. */
    void append(byte[] bytes, int offset, int length) throws IOException;

    /** Ends the current chunk; nothing happens if it is empty. */
    void end() throws IOException;

    /** How many bytes the current chunk has. */
    int length();
  }
}
