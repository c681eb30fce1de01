package org.stellaops.backup.mongo.internal.capture;

import java.io.IOException;
import org.bson.BsonTimestamp;
import org.stellaops.backup.mongo.internal.archive.DocumentSink;

/** What is written to a database while it is read. */
interface Fence {
  /** Cluster time of the first entry that a replay needs; what is read is read after it. */
  BsonTimestamp start();

  /**
   * Takes every entry from {@link #start} up to now, limited to the database.
   *
   * @return cluster time up to which entries were taken
   * @throws NotHeldException if entries are gone, or a replay of them could not give one state
   */
  BsonTimestamp copyTo(DocumentSink sink) throws IOException;
}
