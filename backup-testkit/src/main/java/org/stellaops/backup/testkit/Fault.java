package org.stellaops.backup.testkit;

import java.io.IOException;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.testkit.FaultPlan.When;

/** What becomes of one operation. */
record Fault(When when, boolean isKilling, Reason reason, String what) {
  /** Nothing becomes of it. */
  static final Fault NONE = new Fault(When.BEFORE, false, Reason.TRANSIENT, "");

  /** Whether the operation fails at this place. */
  boolean isDue(When here) {
    return !what.isEmpty() && when == here;
  }

  /** Fails the operation if it is due at this place. */
  void strike(When here) throws IOException {
    if (isDue(here)) {
      throw failure();
    }
  }

  /** The failure to throw; does not return where the JVM is to be killed. */
  BackupException.Sink failure() {
    if (isKilling) {
      Runtime.getRuntime().halt(FaultPlan.KILLED);
    }
    return new BackupException.Sink(code(), reason, "injected fault %s: %s".formatted(when, what));
  }

  private CoreFailure code() {
    return switch (reason) {
      case NOT_FOUND -> CoreFailure.OBJECT_NOT_FOUND;
      case ALREADY_EXISTS -> CoreFailure.OBJECT_EXISTS;
      case DENIED -> CoreFailure.SINK_DENIED;
      case NO_SPACE -> CoreFailure.SINK_FULL;
      case REFUSED, LOCKED, NOT_YET_RETRIEVED, TRANSIENT -> CoreFailure.SINK_FAILED;
    };
  }
}
