package org.stellaops.backup.mongo.internal.oplog;

import java.time.Duration;

/**
 * How an oplog is followed.
 *
 * @param selection what of it is recorded
 * @param flushWithin how long an entry may wait until it is recorded
 * @param mergeEvery how long pieces stay pieces
 * @param advanceEvery how long the place where to go on may stay behind while nothing is recorded
 * @param unitBytes what one slice holds at most, unless one entry is larger
 */
public record FollowSettings(
    OplogSelection selection,
    Duration flushWithin,
    Duration mergeEvery,
    Duration advanceEvery,
    int unitBytes) {}
