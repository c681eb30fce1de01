package org.stellaops.backup.mongo.internal.oplog;

import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.FailureCode;

/**
 * Something that an oplog says cannot be understood or followed. Whether it was being captured or
 * replayed then is known above, where it is translated.
 */
final class OplogException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient FailureCode code;

  OplogException(FailureCode code, String found) {
    super(found);
    this.code = code;
  }

  FailureCode code() {
    return code;
  }

  /** While an oplog was read. */
  BackupException.Source whileReading() {
    return new BackupException.Source(code, String.valueOf(getMessage()), this);
  }

  /** While it was replayed. */
  BackupException.Target whileReplaying() {
    return new BackupException.Target(code, String.valueOf(getMessage()), this);
  }
}
