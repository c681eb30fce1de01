package org.stellaops.backup.testkit;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;

/**
 * Plain bytes of an artifact that are not those captured, as a {@link RestoreHarness} hands them to
 * a target. Whoever reads to the end of them is told, as an engine would.
 */
@FunctionalInterface
public interface ArtifactDamage {
  /** The damaged bytes; closes {@code intact} with them. */
  InputStream of(InputStream intact) throws IOException;

  /** One bit of the byte at {@code offset} is the other one. */
  static ArtifactDamage flip(long offset) {
    return intact -> new FlippedInputStream(intact, offset);
  }

  /** Only the first {@code lengthBytes} bytes are left. */
  static ArtifactDamage truncate(long lengthBytes) {
    return intact -> new LimitedInputStream(intact, lengthBytes);
  }

  /** More bytes follow. */
  static ArtifactDamage extend(byte... more) {
    byte[] copy = more.clone();
    return intact -> new SequenceInputStream(intact, new ByteArrayInputStream(copy));
  }
}
