package org.stellaops.backup.internal.pipeline;

import java.io.IOException;

/** Cuts after a fixed number of bytes. */
final class FixedCutter implements Cutter {
  private final int blockBytes;

  FixedCutter(int blockBytes) {
    this.blockBytes = blockBytes;
  }

  @Override
  public void write(byte[] bytes, int offset, int length, Chunks chunks) throws IOException {
    int at = offset;
    int left = length;
    while (left > 0) {
      int taken = Math.min(left, blockBytes - chunks.length());
      chunks.append(bytes, at, taken);
      if (chunks.length() == blockBytes) {
        chunks.end();
      }
      at += taken;
      left -= taken;
    }
  }
}
