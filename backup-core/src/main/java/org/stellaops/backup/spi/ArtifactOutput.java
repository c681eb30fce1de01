package org.stellaops.backup.spi;

import java.io.IOException;
import java.io.OutputStream;

/**
 * Plain bytes of one artifact on their way into the repository. One thread at a time. The first
 * failure of storage is kept by the session and wins over whatever the source makes of it.
 */
public abstract class ArtifactOutput extends OutputStream {
  /** For the engine and for tests of sources. */
  protected ArtifactOutput() {}

  /**
   * A chunk ends here: behind a tar member, a run of documents. Costs nothing where one just ended.
   */
  public abstract void boundary() throws IOException;

  @Override
  public final void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public abstract void write(byte[] bytes, int offset, int length) throws IOException;

  /** Does nothing: an artifact is complete when its body returns, and only then. */
  @Override
  public final void close() {}
}
