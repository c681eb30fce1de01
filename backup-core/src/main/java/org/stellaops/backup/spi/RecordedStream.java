package org.stellaops.backup.spi;

import java.io.IOException;
import java.io.InputStream;
import java.util.Set;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.SliceSpan;

/** What was recorded of a stream up to some moment, to be replayed on top of a capture. */
public interface RecordedStream {
  /** What there is; its slices are what can be opened. */
  Coverage coverage();

  /** Names of the small files that belong to it. */
  Set<String> companions();

  /**
   * The plain bytes of one of the slices, verified: reading fails at EOF if they are not those that
   * were recorded, so nothing may be trusted before EOF. The caller closes.
   */
  InputStream open(SliceSpan slice) throws IOException;

  /** The plain bytes of a small file, verified at EOF. The caller closes. */
  InputStream openCompanion(String name) throws IOException;
}
