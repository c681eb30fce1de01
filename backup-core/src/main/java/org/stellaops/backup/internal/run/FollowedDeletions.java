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
  /** Names in memory: what was swept may be most of what there ever was. */
  private static final int MOST_AT_ONCE = 100_000;

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
    long removed = 0;
    try (DigestSet seen = new DigestSet(primary.scratch())) {
      for (boolean isMore = true; isMore; ) {
        List<ObjectName> swept = swept(seen);
        removed += remove(swept);
        isMore = swept.size() == MOST_AT_ONCE;
      }
    }
    return removed;
  }

  /** Some that were not looked at before: what the primary has still is not removed. */
  private List<ObjectName> swept(DigestSet seen) throws IOException {
    List<ObjectName> swept = new ArrayList<>();
    copy.everything(
        object -> {
          stopping.check();
          if (swept.size() < MOST_AT_ONCE
              && isSwept(object)
              && seen.add(SnapshotClosure.digestOf(object.name()))) {
            swept.add(object.name());
          }
        });
    return swept;
  }

  /** Asks what the primary has after the copy was asked: what comes back meanwhile stays. */
  private long remove(List<ObjectName> swept) throws IOException {
    long removed = 0;
    if (swept.isEmpty()) {
      return removed;
    }
    try (DigestSet kept = new DigestSet(primary.scratch())) {
      primary.store().everything(object -> kept.put(SnapshotClosure.digestOf(object.name())));
      kept.settle();
      for (ObjectName name : swept) {
        stopping.check();
        if (!kept.contains(SnapshotClosure.digestOf(name))) {
          copy.delete(name);
          removed++;
        }
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
