package org.stellaops.backup.spi;

import java.time.InstantSource;

/**
 * What a store may use.
 *
 * @param clock the engine's
 * @param stopping cancellation of whatever the store is opened for
 */
public record StoreContext(InstantSource clock, Stopping stopping) {
  /** The system's clock, and never stopping. */
  public static StoreContext system() {
    return new StoreContext(InstantSource.system(), Stopping.never());
  }
}
