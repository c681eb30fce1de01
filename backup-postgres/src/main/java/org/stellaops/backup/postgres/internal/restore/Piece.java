package org.stellaops.backup.postgres.internal.restore;

import java.io.IOException;
import org.stellaops.backup.postgres.internal.manifest.FileContents;

/**
 * What one capture holds of a relation's file, while it passes. Closing it ends a half read one.
 */
interface Piece extends AutoCloseable {
  /** Takes the next bytes. */
  void accept(byte[] bytes, int offset, int length) throws IOException;

  /**
   * It was read to its end.
   *
   * @param contents what the capture held, as compared with its manifest
   */
  void end(FileContents contents) throws IOException;

  @Override
  void close() throws IOException;
}
