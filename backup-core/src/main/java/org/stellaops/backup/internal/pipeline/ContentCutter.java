package org.stellaops.backup.internal.pipeline;

import java.io.IOException;

/** Cuts by content. */
final class ContentCutter implements Cutter {
  private final Gear gear;

  ContentCutter(Gear gear) {
    this.gear = gear;
  }

  @Override
  public void write(byte[] bytes, int offset, int length, Chunks chunks) throws IOException {
    int at = offset;
    int left = length;
    while (left > 0) {
      int cut = gear.scan(bytes, at, left, chunks.length());
      int taken = cut < 0 ? left : cut;
      chunks.append(bytes, at, taken);
      if (cut >= 0) {
        chunks.end();
      }
      at += taken;
      left -= taken;
    }
  }
}
