package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ObjectName;

/**
 * Keeps what is needed protected, in stores that protect objects: what is about to be unprotected
 * gets some more weeks, so that a pass every now and then keeps it safe for as long as it is
 * needed, and what is let go of becomes free by itself. See ADR 0023.
 */
final class Protection {
  /** How long a protection has to last beyond this pass. */
  static final Duration AHEAD = Duration.ofDays(14);

  /** What it is made to last if it does not. */
  static final Duration PERIOD = Duration.ofDays(28);

  /** What every reader needs first. */
  static final List<ObjectName> COMMON =
      List.of(Names.FORMAT, Names.RECOVER, Names.REPOSITORY, Names.SINK, Names.PROMOTED);

  private final StoreAccess store;
  private final Instant now;

  Protection(StoreAccess store, Instant now) {
    this.store = store;
    this.now = now;
  }

  /** Whether the store protects anything. */
  boolean isPossible() {
    return store.canProtect();
  }

  /** An object that is needed; one that is gone is missed elsewhere. */
  void extend(ObjectName name) throws IOException {
    try {
      store.protect(name, now.plus(AHEAD), now.plus(PERIOD));
    } catch (BackupException.Sink e) {
      if (e.reason() != BackupException.Sink.Reason.NOT_FOUND) {
        throw e;
      }
    }
  }
}
