package org.stellaops.backup.mongo.internal.oplog;

import java.io.IOException;
import org.bson.BsonTimestamp;
import org.stellaops.backup.mongo.internal.archive.Namespace;

/** Is told how far a replay is, on the thread that replays, so that another one can go on. */
public interface ReplayJournal {
  /** Entries up to this one are about to be written: some of them may be there from now on. */
  default void writing(BsonTimestamp upTo) throws IOException {}

  /** Everything up to this entry is in the target: what {@code resumeAfter} may be next time. */
  void written(BsonTimestamp upTo) throws IOException;

  /** A collection is about to be there under this name. */
  default void creating(Namespace target) throws IOException {}
}
