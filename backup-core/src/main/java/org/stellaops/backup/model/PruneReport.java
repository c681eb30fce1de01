package org.stellaops.backup.model;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a prune did.
 *
 * @param retired what was let go
 * @param doomedObjects how many objects were doomed; they stay until their grace is over and their
 *     writer knows
 * @param deletedObjects how many objects were removed
 * @param freedBytes how many stored bytes they had
 * @param keptObjects how many objects were found to be there that have to be
 * @param waiting what is doomed and not removed yet, by writer, with the reason
 * @param problems what went wrong; everything else was done
 */
public record PruneReport(
    List<Retired> retired,
    long doomedObjects,
    long deletedObjects,
    long freedBytes,
    long keptObjects,
    Map<String, String> waiting,
    List<Finding> problems) {
  public PruneReport {
    retired = List.copyOf(retired);
    waiting = Collections.unmodifiableMap(new TreeMap<>(waiting));
    problems = List.copyOf(problems);
  }

  /** A source of a snapshot that was let go. */
  public record Retired(SnapshotId snapshot, SourceName source, String reason) {}

  /** Whether nothing went wrong. */
  public boolean isOk() {
    return problems.isEmpty();
  }
}
