package org.stellaops.backup.postgres.internal.local;

import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/** What becomes of an interrupt. */
final class Interruption {
  private Interruption() {}

  /** Restores the flag; the caller throws. */
  static BackupException.Stopped stopped(String what) {
    Thread.currentThread().interrupt();
    return new BackupException.Stopped(CoreFailure.CANCELLED, what + ": interrupted");
  }
}
