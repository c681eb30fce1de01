package org.stellaops.backup.mongo.internal.driver;

import com.mongodb.MongoException;

/** A write was done, and it is not known whether a majority has it. */
final class NotReplicatedException extends MongoException {
  private static final long serialVersionUID = 1L;

  NotReplicatedException(int code) {
    super(code, "write concern error " + code);
  }
}
