package org.stellaops.backup.testkit;

import org.stellaops.backup.spi.SealedFormat;

class ToyFormatTest extends SealedFormatContract {
  private final ToyFormat toy = new ToyFormat();

  @Override
  protected SealedFormat format() {
    return toy;
  }
}
