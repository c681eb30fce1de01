package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RetentionLog;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoredObject;

/**
 * Removes from a copy what its primary swept and has removed itself, and nothing else: whatever the
 * primary still has stays, and so does what only the copy has. One thread.
 */
final class FollowedDeletions {
  private final Repository primary;
  private final RetentionLog retention;
  private final StoreAccess copy;
  private final Stopping stopping;

  /**
   * @param retention believed, and in the copy
   */
  FollowedDeletions(
      Repository primary, RetentionLog retention, StoreAccess copy, Stopping stopping) {
    this.primary = primary;
    this.retention = retention;
    this.copy = copy;
    this.stopping = stopping;
  }

  /** Removes; returns how many objects went. */
  long follow() throws IOException {
    List<ObjectName> swept = new ArrayList<>();
    copy.everything(
        object -> {
          stopping.check();
          if (isSwept(object)) {
            swept.add(object.name());
          }
        });
    if (swept.isEmpty()) {
      return 0;
    }
    DigestSet kept = new DigestSet();
    primary.store().everything(object -> kept.add(SnapshotClosure.digestOf(object.name())));
    long removed = 0;
    for (ObjectName name : swept) {
      stopping.check();
      if (!kept.contains(SnapshotClosure.digestOf(name))) {
        copy.delete(name);
        removed++;
      }
    }
    return removed;
  }

  private boolean isSwept(StoredObject object) throws IOException {
    String name = object.name().value();
    if (Names.slot(name).isPresent()) {
      String log = name.split("/", -1)[1];
      return Names.isStream(log) && retention.isGone(log, Names.slot(name).getAsLong());
    }
    Optional<ObjectRef> ref = parsed(name);
    return ref.isPresent() && retention.isSwept(ref.get());
  }

  private static Optional<ObjectRef> parsed(String name) {
    try {
      return Optional.of(ObjectRef.parse(name));
    } catch (BackupException e) {
      // No object that a list could doom.
      return Optional.empty();
    }
  }
}
