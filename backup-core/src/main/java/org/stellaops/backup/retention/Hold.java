package org.stellaops.backup.retention;

import java.time.Instant;
import java.util.Optional;
import org.stellaops.backup.model.SnapshotId;

/**
 * A mark that exempts a snapshot from retention.
 *
 * @param snapshot every snapshot with this id is held
 * @param reason why; not blank
 * @param until when it ends; empty: when somebody releases it
 * @param actor who asked for it; not blank
 */
public record Hold(SnapshotId snapshot, String reason, Optional<Instant> until, String actor) {
  public Hold {
    if (reason.isBlank() || actor.isBlank()) {
      throw new IllegalArgumentException(
          "a hold of %s needs a reason and an actor, found '%s' and '%s'"
              .formatted(snapshot, reason, actor));
    }
  }

  /** A hold that only somebody's word ends. */
  public static Hold forever(SnapshotId snapshot, String reason, String actor) {
    return new Hold(snapshot, reason, Optional.empty(), actor);
  }

  /** Whether it holds at an instant; at its end it does not. */
  public boolean isActive(Instant now) {
    return until.isEmpty() || now.isBefore(until.get());
  }
}
