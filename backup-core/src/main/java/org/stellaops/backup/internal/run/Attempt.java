package org.stellaops.backup.internal.run;

import java.time.Instant;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.spi.WriterKeys;

/**
 * What all steps of one backup have in common. Nothing of it is theirs to close.
 *
 * @param run which one it is; the snapshot, if one comes of it, has the same id
 * @param origin why it is made
 * @param instance who makes it
 * @param began by the engine's clock
 */
record Attempt(
    Context context,
    BackupPlan plan,
    BackupRequest request,
    Repository repository,
    WriterKeys keys,
    RunId run,
    RunOrigin origin,
    Instance instance,
    Instant began,
    StopSignal stopping) {
  SnapshotId snapshot() {
    return new SnapshotId(run.value());
  }

  /** Name of the log. */
  String writer() {
    return keys.id().name();
  }

  StoreAccess store() {
    return repository.store();
  }
}
