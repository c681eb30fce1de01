package org.stellaops.backup.mongo.internal.archive;

import java.util.List;
import org.bson.BsonTimestamp;

/**
 * Of which server a database was captured, and as of when.
 *
 * @param topology {@code REPLICA_SET}, {@code STANDALONE}, {@code SHARDED}
 * @param replicaSet its name; empty where there is none
 * @param featureVersion the server's feature compatibility version; empty where it was not told
 * @param start cluster time from which on the oplog is needed; 0 where no cluster time is known
 * @param end cluster time of which the captured state is
 * @param apart collections that are not of that time: capped ones, in a snapshot
 */
public record CaptureMoment(
    String topology,
    String replicaSet,
    String featureVersion,
    BsonTimestamp start,
    BsonTimestamp end,
    List<String> apart) {
  /** No cluster time. */
  public static final BsonTimestamp NO_TIME = new BsonTimestamp(0);

  /** Of captures that did not write it down. */
  static final CaptureMoment UNKNOWN = new CaptureMoment("", "", "", NO_TIME, NO_TIME, List.of());

  public CaptureMoment {
    apart = List.copyOf(apart);
  }

  /** Whether the cluster time of the capture is known. */
  public boolean hasTime() {
    return !end.equals(NO_TIME);
  }
}
