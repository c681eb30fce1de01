package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.IoPredicate;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.RetentionEntry;
import org.stellaops.backup.internal.repository.RetentionEntry.EntryRef;
import org.stellaops.backup.internal.repository.RetentionEntry.Released;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SourceName;

/**
 * What of the log {@code retention} may go to another store, and when, so that this lists neither
 * more nor less than it holds.
 */
final class SentRetention {
  private SentRetention() {}

  /**
   * An entry that lists snapshots again of which the other store may hold a part.
   *
   * @param revived those that stand here, all of which has to be there first
   * @param isUnknown whether it revives others, too, of which nothing can be said here
   */
  record Recall(Entry entry, List<SnapshotList.Known> revived, boolean isUnknown) {
    Set<SnapshotId> snapshots() {
      return revived.stream().map(k -> k.summary().id()).collect(Collectors.toSet());
    }
  }

  /**
   * The recalls that another store does not have, of snapshots whose entries it has.
   *
   * @param isThere whether the other store has anything of a name
   */
  static List<Recall> recalls(SnapshotList list, IoPredicate<ObjectName> isThere)
      throws IOException {
    List<Recall> recalls = new ArrayList<>();
    for (LogView log : list.logs()) {
      if (log.log().equals(Names.RETENTION)) {
        Map<Long, Entry> entries = new HashMap<>();
        log.entries().forEach(s -> entries.put(s.entry().sequence(), s.entry()));
        for (LogView.Standing standing : log.entries()) {
          Entry entry = standing.entry();
          Set<EntryRef> there = new LinkedHashSet<>();
          if (!isThere.test(name(entry)) && read(entry) instanceof RetentionEntry.Recall recall) {
            for (long slot : recall.entries()) {
              for (Released one : released(entries.get(slot))) {
                if (isThere.test(name(one.snapshot()))) {
                  there.add(one.snapshot());
                }
              }
            }
          }
          if (!there.isEmpty()) {
            recalls.add(recall(entry, there, list));
          }
        }
      }
    }
    return recalls;
  }

  private static Recall recall(Entry entry, Set<EntryRef> there, SnapshotList list) {
    List<SnapshotList.Known> revived = new ArrayList<>();
    for (SnapshotList.Known known : list.believed()) {
      if (there.remove(ref(known))) {
        revived.add(known);
      }
    }
    // What was let go of once more is not listed whoever recalled it before.
    list.retired().forEach(k -> there.remove(ref(k)));
    return new Recall(entry, revived, !there.isEmpty());
  }

  private static EntryRef ref(SnapshotList.Known known) {
    return new EntryRef(
        known.summary().writer(), known.summary().sequence(), known.summary().entry());
  }

  /**
   * Refuses to tell another store to let go of what it lists.
   *
   * @param log the whole of it
   * @param entry that is to be sent there
   * @param isThere whether the other store has anything of a name
   * @throws BackupException.Refused COPY_CONFLICT
   */
  static void requireNoneListed(LogView log, Entry entry, IoPredicate<ObjectName> isThere)
      throws IOException {
    if (isThere.test(name(entry))) {
      return;
    }
    for (Released one : released(entry)) {
      if (isThere.test(name(one.snapshot())) && !isGone(one, log, isThere)) {
        throw new BackupException.Refused(
            CoreFailure.COPY_CONFLICT,
            "%s lets go of %s/%d as well, which the target lists and keeps; hint: move it to another archive"
                .formatted(entry.objectName(), one.snapshot().log(), one.snapshot().sequence()));
      }
    }
  }

  /** Whether the other store was told that before. */
  private static boolean isGone(Released one, LogView log, IoPredicate<ObjectName> isThere)
      throws IOException {
    Set<SourceName> left = new LinkedHashSet<>(one.sources());
    boolean isAll = one.sources().isEmpty();
    for (LogView.Standing standing : log.entries()) {
      if (isThere.test(name(standing.entry()))) {
        for (Released told : released(standing.entry())) {
          if (told.snapshot().equals(one.snapshot())) {
            if (told.sources().isEmpty()) {
              return true;
            }
            left.removeAll(told.sources());
          }
        }
      }
    }
    return !isAll && left.isEmpty();
  }

  private static List<Released> released(@Nullable Entry entry) {
    return entry != null && read(entry) instanceof RetentionEntry.Retire retire
        ? retire.released()
        : List.of();
  }

  /** What cannot be read changes nothing for those who read the log. */
  private static @Nullable RetentionEntry read(Entry entry) {
    try {
      return RetentionEntry.of(entry);
    } catch (BackupException e) {
      return null;
    }
  }

  private static ObjectName name(Entry entry) {
    return StoreAccess.entry(entry.log(), entry.sequence());
  }

  private static ObjectName name(EntryRef entry) {
    return StoreAccess.entry(entry.log(), entry.sequence());
  }
}
