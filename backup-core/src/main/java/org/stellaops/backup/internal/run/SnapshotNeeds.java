package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.IndexEntry;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.RetentionLog;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StateRef;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.spi.Identity;

/** What it takes to restore a snapshot, with what it builds on. One thread. */
final class SnapshotNeeds {
  private final RetentionLog retention;
  private final StoreRole role;
  private final Map<String, Map<SnapshotId, SnapshotEntry>> logs = new HashMap<>();

  /**
   * @param role of the store: an archive has no state, since nobody goes on from there
   */
  SnapshotNeeds(RetentionLog retention, StoreRole role) {
    this.retention = retention;
    this.role = role;
  }

  /**
   * What a snapshot needs: of each source that was not let go its lists, and those of the captures
   * below it, whatever became of these; manifests; and the writer's state as far as nobody let go
   * of that, since older state is of no use.
   *
   * @param epoch opens its packs, where they are to be opened
   * @param damage is told which captures are missing below it
   */
  ObjectCheck.Need of(
      SnapshotList.Known snapshot, Optional<Identity> epoch, Consumer<Finding> damage)
      throws IOException {
    SnapshotEntry entry = snapshot.entry();
    Set<ObjectRef> objects = new LinkedHashSet<>();
    Set<ObjectRef> lists = new LinkedHashSet<>();
    objects.add(entry.manifest());
    for (StateRef state : state(snapshot)) {
      if (role != StoreRole.ARCHIVE && !retention.isSwept(state.object())) {
        objects.add(state.object());
      }
    }
    for (SnapshotEntry.Part part : entry.parts()) {
      SourceName source = part.header().source();
      if (!snapshot.summary().retired().containsKey(source)) {
        follow(snapshot, source, objects, lists, damage);
      }
    }
    return new ObjectCheck.Need(List.copyOf(objects), List.copyOf(lists), epoch);
  }

  /** What its writer gave up later, since it was lost, is missed by nobody. */
  static List<StateRef> state(SnapshotList.Known snapshot) throws BackupException {
    SnapshotEntry entry = snapshot.entry();
    List<StateRef> state = new ArrayList<>(entry.state());
    for (LogView.Standing standing : snapshot.log().entries()) {
      Entry word = standing.entry();
      boolean isLater =
          word.sequence() > snapshot.summary().sequence()
              && IndexEntry.isIndex(word)
              && entry.epochs().contains(IndexEntry.epochOf(word));
      if (isLater) {
        state.retainAll(IndexEntry.state(word));
      }
    }
    return state;
  }

  /** What it takes to restore one source of a snapshot. */
  ObjectCheck.Need of(SnapshotList.Known snapshot, SourceName source, Consumer<Finding> damage) {
    Set<ObjectRef> objects = new LinkedHashSet<>();
    Set<ObjectRef> lists = new LinkedHashSet<>();
    follow(snapshot, source, objects, lists, damage);
    return new ObjectCheck.Need(List.copyOf(objects), List.copyOf(lists), Optional.empty());
  }

  private void follow(
      SnapshotList.Known snapshot,
      SourceName source,
      Set<ObjectRef> objects,
      Set<ObjectRef> lists,
      Consumer<Finding> damage) {
    Set<SnapshotId> reached = new HashSet<>(Set.of(snapshot.entry().id()));
    Deque<SnapshotEntry> waiting = new ArrayDeque<>(List.of(snapshot.entry()));
    while (!waiting.isEmpty()) {
      SnapshotEntry one = waiting.remove();
      objects.add(one.manifest());
      for (SnapshotEntry.Part part : one.parts()) {
        if (part.header().source().equals(source)) {
          lists.addAll(part.lists());
          for (SnapshotId parent : part.header().parents()) {
            if (reached.add(parent)) {
              Optional.ofNullable(byId(snapshot.log()).get(parent))
                  .ifPresentOrElse(
                      waiting::add, () -> damage.accept(missing(snapshot, source, parent)));
            }
          }
        }
      }
    }
  }

  private static Finding missing(
      SnapshotList.Known snapshot, SourceName source, SnapshotId parent) {
    return new Finding(
        CoreFailure.CHAIN_BROKEN,
        snapshot.summary().name() + "/" + source,
        "builds on %s, which is not in log %s".formatted(parent, snapshot.log().log()));
  }

  private Map<SnapshotId, SnapshotEntry> byId(LogView log) {
    return logs.computeIfAbsent(log.log(), l -> read(log));
  }

  /**
   * One that cannot be read is damage to its log; whoever builds on it is told that it is missing.
   */
  static Map<SnapshotId, SnapshotEntry> read(LogView log) {
    Map<SnapshotId, SnapshotEntry> byId = new HashMap<>();
    for (LogView.Standing standing : log.entries()) {
      if (SnapshotEntry.isSnapshot(standing.entry())) {
        read(standing).ifPresent(s -> byId.put(s.id(), s));
      }
    }
    return byId;
  }

  private static Optional<SnapshotEntry> read(LogView.Standing standing) {
    try {
      return Optional.of(SnapshotEntry.of(standing.entry()));
    } catch (BackupException e) {
      return Optional.empty();
    }
  }
}
