package org.stellaops.backup.mongo.internal.capture;

import com.mongodb.client.MongoClient;
import java.io.IOException;
import java.util.Set;
import org.bson.BsonTimestamp;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.DocumentSink;
import org.stellaops.backup.mongo.internal.oplog.OplogFence;
import org.stellaops.backup.mongo.internal.oplog.OplogSelection;
import org.stellaops.backup.spi.Stopping;

/** The oplog of one database, as the fence around a pass. */
final class OplogFenced implements Fence {
  private static final Set<MongoFailure> WORTH_ANOTHER_PASS = Set.of(MongoFailure.OPLOG_RENAMED);

  /**
   * What says of this server or this time that the level cannot be had, and not that it is broken.
   */
  private static final Set<MongoFailure> OBSTACLES =
      Set.of(
          MongoFailure.NOT_PERMITTED,
          MongoFailure.NOT_A_REPLICA_SET,
          MongoFailure.OPLOG_ROLLED_OVER,
          MongoFailure.OPLOG_RENAMED_ACROSS,
          MongoFailure.OPLOG_UNKNOWN_OPERATION,
          MongoFailure.OPLOG_MALFORMED);

  private final OplogFence fence;
  private final Stopping stopping;

  private OplogFenced(OplogFence fence, Stopping stopping) {
    this.fence = fence;
    this.stopping = stopping;
  }

  /** Puts it up around a database. */
  static Fence around(MongoClient client, String database, Stopping stopping) throws IOException {
    try {
      return new OplogFenced(
          OplogFence.begin(client, OplogSelection.databases(Set.of(database))), stopping);
    } catch (BackupException e) {
      throw translate(e);
    }
  }

  @Override
  public BsonTimestamp start() {
    return fence.start();
  }

  @Override
  public BsonTimestamp copyTo(DocumentSink sink) throws IOException {
    try {
      BsonTimestamp end = fence.now();
      fence.copyTo(sink, end, stopping);
      return end;
    } catch (BackupException e) {
      throw translate(e);
    }
  }

  private static IOException translate(BackupException e) {
    if (e.code() instanceof MongoFailure failure) {
      if (WORTH_ANOTHER_PASS.contains(failure)) {
        return NotHeldException.thisTime(e.detail());
      }
      if (OBSTACLES.contains(failure)) {
        return NotHeldException.forGood(e.detail(), e);
      }
    }
    return e;
  }
}
