package org.stellaops.backup.mongo.internal.capture;

import org.bson.BsonTimestamp;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.mongo.Consistency;
import org.stellaops.backup.mongo.internal.archive.CaptureMoment;

/**
 * One reading of everything.
 *
 * @param level that is claimed of it
 * @param before what is there
 * @param at cluster time whose documents are read; null for whatever is there
 * @param open cluster time before which no transaction was begun that is open at that time; null
 *     where nobody asked
 * @param fence what is written meanwhile; null where nothing keeps it
 * @param lock that holds back all writes; null where nothing does
 */
record Pass(
    Consistency level,
    Occupancy before,
    @Nullable BsonTimestamp at,
    @Nullable BsonTimestamp open,
    @Nullable Fence fence,
    @Nullable FsyncLock lock) {
  /** As of one cluster time. */
  static Pass snapshot(Occupancy before, BsonTimestamp at, BsonTimestamp open) {
    return new Pass(Consistency.SNAPSHOT, before, at, open, null, null);
  }

  /** With what is written meanwhile. */
  static Pass fenced(Occupancy before, Fence fence) {
    return new Pass(Consistency.OPLOG_FENCED, before, null, null, fence, null);
  }

  /** While the server is locked. */
  static Pass locked(Occupancy before, FsyncLock lock) {
    return new Pass(Consistency.FSYNC_LOCKED, before, null, null, null, lock);
  }

  /** As it comes. */
  static Pass plain(Consistency level, Occupancy before) {
    return new Pass(level, before, null, null, null, null);
  }

  /** From when on the oplog leads on from it. */
  BsonTimestamp start() {
    if (fence != null) {
      return fence.start();
    }
    if (at == null) {
      return CaptureMoment.NO_TIME;
    }
    return open == null || open.compareTo(at) > 0 ? at : open;
  }
}
