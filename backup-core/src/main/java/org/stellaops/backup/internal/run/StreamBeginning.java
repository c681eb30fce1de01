package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RetentionLog;
import org.stellaops.backup.internal.repository.StreamEntry;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Position;

/**
 * What the entry in the first slot of a stream's log is worth. Below it there is none that says
 * what its writer knew of deletions, so what it names may have been doomed just before it was put;
 * then nobody was told that it is durable. One thread.
 */
final class StreamBeginning {
  private static final Logger LOG = LoggerFactory.getLogger(StreamBeginning.class);

  private final Repository repository;
  private final RetentionLog retention;

  StreamBeginning(Repository repository) throws IOException {
    this.repository = repository;
    this.retention = repository.retention();
  }

  /** Whether anything that it names is doomed. */
  boolean isAnyDoomed(StreamEntry entry) throws IOException {
    for (ObjectRef object : entry.objects()) {
      if (retention.isDoomed(object)) {
        return true;
      }
    }
    return false;
  }

  /**
   * The same log without what its first slot names and nobody may count on: it has to be recorded
   * again. What retention let go of because no capture needs it any more was durable, and counts.
   */
  StreamLog believed(StreamLog log) throws IOException {
    List<StreamLog.Standing> entries = new ArrayList<>();
    boolean isAnyLost = false;
    for (StreamLog.Standing standing : log.entries()) {
      Set<ObjectRef> lost = standing.place().sequence() == 1 ? lost(standing.entry()) : Set.of();
      isAnyLost |= !lost.isEmpty();
      entries.add(
          new StreamLog.Standing(
              standing.place(), standing.entry().withoutObjects(lost), standing.signed()));
    }
    return isAnyLost ? log.withEntries(entries) : log;
  }

  private Set<ObjectRef> lost(StreamEntry first) throws IOException {
    Set<ObjectRef> lost = new HashSet<>();
    if (isAnyDoomed(first)) {
      Map<String, Long> floors = floors();
      for (StreamEntry.Slice slice : first.slices()) {
        if (retention.isDoomed(slice.object()) && !isLetGo(slice.span().to(), floors)) {
          lost.add(slice.object());
        }
      }
      for (StreamEntry.Companion companion : first.companions()) {
        if (retention.isDoomed(companion.object())) {
          lost.add(companion.object());
        }
      }
    }
    return lost;
  }

  /** Whether all captures that need this history begin behind it. */
  private static boolean isLetGo(Position end, Map<String, Long> floors) {
    return floors.containsKey(end.lineage()) && !Garbage.isBehind(end, floors);
  }

  /** Of what cannot be read nobody knows what it needs: then it is recorded again. */
  private Map<String, Long> floors() throws IOException {
    List<LogView> writers =
        repository.views().stream().filter(v -> Names.isWriter(v.log())).toList();
    try {
      return Garbage.floors(
          writers, retention, log -> !repository.isPinned() || repository.knows(log));
    } catch (BackupException e) {
      LOG.debug("what captures need of a stream is not known: {}", e.getMessage());
      return Map.of();
    }
  }
}
