package org.stellaops.backup.internal.run;

import java.util.Optional;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.Slot;

/**
 * Why a run is made.
 *
 * @param slot of the schedule that it answers for
 * @param retries the run that it is another attempt of
 * @param attempt from 1
 */
public record RunOrigin(Optional<Slot> slot, Optional<RunId> retries, int attempt) {
  /** Somebody asked for it. */
  public static final RunOrigin ASKED = new RunOrigin(Optional.empty(), Optional.empty(), 1);

  /** The schedule asks for it. */
  public static RunOrigin of(Slot slot) {
    return new RunOrigin(Optional.of(slot), Optional.empty(), 1);
  }

  /** Another attempt of one that failed. */
  public RunOrigin after(RunId failed) {
    return new RunOrigin(slot, Optional.of(failed), attempt + 1);
  }
}
