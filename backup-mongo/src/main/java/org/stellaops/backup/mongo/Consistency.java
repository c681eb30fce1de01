package org.stellaops.backup.mongo;

/**
 * How far the collections of one capture fit each other, from nothing to one instant. Each level
 * promises what those before it promise.
 */
public enum Consistency {
  /**
   * Collections are read while the application writes, each at times of its own. An order may be
   * there without its entry in the audit log, and the other way round.
   */
  NONE,

  /**
   * The application held its writes back itself ({@link MongoSource#quiesce}), and no write was
   * seen. Writers that the hook does not know of are not held back.
   */
  QUIESCED,

  /**
   * The server refused all writes while it was read ({@link MongoSource#fsyncLock}): the state of
   * one instant, at the price of an outage.
   */
  FSYNC_LOCKED,

  /**
   * Collections are read while the application writes, and the archive has the oplog of that time,
   * of what is captured: replayed, it gives the state of the instant at which reading ended. Until
   * it is replayed the collections by themselves are as with {@link #NONE}.
   */
  OPLOG_FENCED,

  /**
   * All collections were read as of one cluster time: the state of one instant, as a replica set
   * has it. Capped collections cannot be read so, and are named where there are any.
   */
  SNAPSHOT
}
