package org.stellaops.backup.mongo.internal.oplog;

import java.time.Instant;
import org.bson.BsonTimestamp;

/** Where a replay ends: at the first entry that is behind it. Pure. */
@FunctionalInterface
public interface ReplayTarget {
  /** Whether an entry is not wanted any more, nor any behind it. */
  boolean isBehind(BsonTimestamp ts, Instant wall);

  /** Everything. */
  static ReplayTarget latest() {
    return (ts, wall) -> false;
  }

  /** Everything up to an entry, and with it if that is wanted. */
  static ReplayTarget at(BsonTimestamp last, boolean isInclusive) {
    return (ts, wall) -> ts.compareTo(last) >= (isInclusive ? 1 : 0);
  }

  /** Everything that was written up to an instant, by the clock of the primary. */
  static ReplayTarget at(Instant last, boolean isInclusive) {
    return (ts, wall) -> wall.compareTo(last) >= (isInclusive ? 1 : 0);
  }
}
