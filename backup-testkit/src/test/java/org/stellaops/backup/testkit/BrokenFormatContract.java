package org.stellaops.backup.testkit;

import org.stellaops.backup.spi.SealedFormat;

/** The contract of formats on one that is broken. */
final class BrokenFormatContract extends SealedFormatContract {
  private final SealedFormat broken;

  BrokenFormatContract(SealedFormat broken) {
    this.broken = broken;
  }

  @Override
  protected SealedFormat format() {
    return broken;
  }
}
