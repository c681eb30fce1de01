package org.stellaops.backup.internal.pipeline;

import java.io.IOException;
import java.util.Optional;

/** Decides where chunks end. One for each artifact; one thread. */
interface Cutter {
  /** Passes bytes on to {@code chunks}, ending chunks on the way. */
  void write(byte[] bytes, int offset, int length, Chunks chunks) throws IOException;

  /** The current chunk ends here, whatever it holds; nothing happens if it is empty. */
  default void end(Chunks chunks) throws IOException {
    chunks.end();
  }

  /** Where it cut, if that is worth remembering. */
  default Optional<Cuts> cuts() {
    return Optional.empty();
  }

  /** Where bytes of chunks go. */
  interface Chunks {
    /** Bytes of the current chunk, never more than its room. */
    void append(byte[] bytes, int offset, int length) throws IOException;

    /** Ends the current chunk; nothing happens if it is empty. */
    void end() throws IOException;

    /** Ends a chunk after the first bytes of the current one; the others begin the next. */
    void endAt(int length) throws IOException;

    /** How many bytes the current chunk has. */
    int length();

    /** CRC-32C of the first bytes of the current chunk. */
    int checksum(int bytes);

    /** Goes over all bytes of the current chunk from its beginning: {@link Gear#scan}. */
    int search(Gear gear);
  }
}
