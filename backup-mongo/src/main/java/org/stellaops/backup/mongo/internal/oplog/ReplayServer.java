package org.stellaops.backup.mongo.internal.oplog;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bson.BsonDocument;
import org.bson.BsonTimestamp;
import org.stellaops.backup.mongo.internal.archive.Namespace;

/**
 * What an oplog is replayed into. Throws what the driver throws; {@link #fetch} and {@link #write}
 * are called by several threads.
 */
interface ReplayServer {
  /** Documents by {@code {_id: …}}; those that are not there are missing. */
  Map<RawDocument, RawDocument> fetch(Namespace collection, Collection<RawDocument> ids);

  /** Makes documents what they are to be, in this order. */
  void write(Namespace collection, List<Change> changes);

  /** Runs a command. */
  void run(String database, BsonDocument command);

  /** Collections of a database, without what the server keeps for itself. */
  List<String> names(String database);

  /**
   * What a document is to be.
   *
   * @param ts of the last entry that changed it
   * @param id {@code {_id: …}}
   * @param document empty if it is to be gone
   */
  record Change(BsonTimestamp ts, RawDocument id, Optional<RawDocument> document) {}
}
