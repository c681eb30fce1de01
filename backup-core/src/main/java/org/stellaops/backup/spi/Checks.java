package org.stellaops.backup.spi;

import java.time.InstantSource;
import org.stellaops.backup.model.CheckResult;

/** Collects results; the source goes on after a failure, so that all of them are known at once. */
public interface Checks {
  /** Adds one result. */
  void add(CheckResult result);

  /** Cancellation of the run that asks. */
  Stopping stopping();

  /** The engine's clock. */
  InstantSource clock();
}
