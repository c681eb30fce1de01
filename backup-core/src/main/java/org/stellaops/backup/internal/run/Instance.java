package org.stellaops.backup.internal.run;

import java.util.Set;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.RunRecord;

/**
 * One engine among those of one writer.
 *
 * @param name which no other engine has while this one is open
 * @param running its own runs that have not ended; changes
 * @param silence what it saw of the runs of others
 * @param throttle for what all its runs send
 */
public record Instance(String name, Set<RunId> running, Silence silence, Throttle throttle) {
  /** Whether a run that has not ended was made by one of this name that is gone. */
  boolean isLeftOver(RunRecord other) {
    return other.instance().equals(name) && !running.contains(other.run());
  }
}
