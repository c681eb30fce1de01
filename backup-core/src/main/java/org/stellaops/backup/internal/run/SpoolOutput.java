package org.stellaops.backup.internal.run;

import java.io.IOException;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.Stopping;

/** Plain bytes that a writer keeps for itself. */
final class SpoolOutput extends ArtifactOutput {
  private final SealedSpool spool;
  private final Stopping stopping;

  /** Writes to {@code spool}, which stays the caller's. */
  SpoolOutput(SealedSpool spool, Stopping stopping) {
    this.spool = spool;
    this.stopping = stopping;
  }

  @Override
  public void boundary() {}

  @Override
  public void write(byte[] from, int offset, int length) throws IOException {
    stopping.check();
    spool.plain().write(from, offset, length);
  }
}
