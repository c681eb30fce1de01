package org.stellaops.backup.spi;

import java.time.InstantSource;
import org.stellaops.backup.model.CheckResult;

/** Collects results; the source goes on after a failure, so that all of them are known at once. */
public interface Checks {
  /** Adds one result. */
  void add(CheckResult result);

  /**
   * How much a full capture holds, as far as the source can tell without reading it. It is held
   * against the room in the store; whoever does not know says nothing.
   *
   * @param bytes before compression
   */
  void expect(long bytes);

  /** Cancellation of the run that asks. */
  Stopping stopping();

  /** The engine's clock. */
  InstantSource clock();
}
