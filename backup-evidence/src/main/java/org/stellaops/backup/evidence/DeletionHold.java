package org.stellaops.backup.evidence;

import java.io.Closeable;
import java.io.IOException;
import org.stellaops.backup.model.RunId;

/** Keeps the locker from deleting anything while a run captures its index and its objects. */
@FunctionalInterface
public interface DeletionHold {
  /** Nothing holds: whoever deletes during a run is told by a finding of the next one. */
  DeletionHold NONE = run -> () -> {};

  /** Holds until the returned handle is closed. */
  Closeable hold(RunId run) throws IOException;
}
