package org.stellaops.backup.model;

import java.util.ArrayList;
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
 * @param windows how far back what is left leads, of each source that a recorded stream follows
 * @param problems what went wrong, and which of the windows is too short; everything else was done
 */
public record PruneReport(
    List<Retired> retired,
    long doomedObjects,
    long deletedObjects,
    long freedBytes,
    long keptObjects,
    Map<String, String> waiting,
    List<RecoveryWindow> windows,
    List<Finding> problems) {
  public PruneReport {
    retired = List.copyOf(retired);
    waiting = Collections.unmodifiableMap(new TreeMap<>(waiting));
    windows = List.copyOf(windows);
    problems = List.copyOf(problems);
  }

  /** A source of a snapshot that was let go. */
  public record Retired(SnapshotId snapshot, SourceName source, String reason) {}

  /** The same with these windows, and those that are too short among what went wrong. */
  public PruneReport leaving(List<RecoveryWindow> open) {
    List<Finding> all = new ArrayList<>(problems);
    open.forEach(window -> window.finding().ifPresent(all::add));
    return new PruneReport(
        retired, doomedObjects, deletedObjects, freedBytes, keptObjects, waiting, open, all);
  }

  /** The same with one more thing that went wrong. */
  public PruneReport noticing(Finding problem) {
    List<Finding> all = new ArrayList<>(problems);
    all.add(problem);
    return new PruneReport(
        retired, doomedObjects, deletedObjects, freedBytes, keptObjects, waiting, windows, all);
  }

  /** Whether nothing went wrong. */
  public boolean isOk() {
    return problems.isEmpty();
  }
}
