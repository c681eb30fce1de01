package org.stellaops.backup.spi;

import org.stellaops.backup.model.RunId;

/** For which run something is held. */
public interface HoldContext {
  /** The run. */
  RunId run();

  /** Cancellation of that run. */
  Stopping stopping();
}
