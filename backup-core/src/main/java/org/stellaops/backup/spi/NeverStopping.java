package org.stellaops.backup.spi;

import java.io.Closeable;

/** The {@link Stopping} of whoever cannot be stopped. */
enum NeverStopping implements Stopping {
  INSTANCE;

  @Override
  public void check() {}

  @Override
  public boolean isStopping() {
    return false;
  }

  @Override
  public Closeable onStop(Runnable action) {
    return () -> {};
  }
}
