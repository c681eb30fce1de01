package org.stellaops.backup.mongo.internal.oplog;

import java.util.Optional;
import org.bson.BsonTimestamp;

/**
 * What a replay has done.
 *
 * @param entries that were read
 * @param writes inserts, updates and deletes that were replayed, those of transactions included
 * @param commands that were replayed
 * @param transactions that were replayed
 * @param missing documents that were to be changed, and were gone already from a base that was
 *     newer than the entry
 * @param last entry that was replayed; empty if none was
 * @param isBehindTarget whether an entry was met that is behind the target, so that what was
 *     recorded reaches it
 */
public record ReplayCounts(
    long entries,
    long writes,
    long commands,
    long transactions,
    long missing,
    Optional<BsonTimestamp> last,
    boolean isBehindTarget) {}
