package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RetentionLog;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Coverage;

/**
 * The streams of a repository as their logs tell them, without the slices whose objects a listing
 * does not show: no key and no local state needed.
 */
final class Streams {
  private final Map<String, StreamLog> logs;
  private final boolean isPinned;

  private Streams(Map<String, StreamLog> logs, boolean isPinned) {
    this.logs = logs;
    this.isPinned = isPinned;
  }

  /** As they are now. */
  static Streams now(Repository repository) throws IOException {
    Map<String, StreamLog> logs = new TreeMap<>();
    for (String log : repository.logs()) {
      if (Names.isStream(log)) {
        logs.put(log, repository.stream(log));
      }
    }
    return held(logs, repository);
  }

  /**
   * As they were when these were the newest slots of their logs; no others.
   *
   * @throws BackupException.Refused PLAN_STALE if such a slot is not there any more
   */
  static Streams asOf(Repository repository, Map<String, Long> heads) throws IOException {
    Map<String, StreamLog> logs = new TreeMap<>();
    for (Map.Entry<String, Long> head : heads.entrySet()) {
      StreamLog log = repository.streamUpTo(head.getKey(), head.getValue());
      requireHead(log, head.getValue());
      logs.put(head.getKey(), log);
    }
    return held(logs, repository);
  }

  private static Streams held(Map<String, StreamLog> logs, Repository repository)
      throws IOException {
    Set<String> writers = new TreeSet<>();
    logs.values().forEach(log -> log.slices().forEach(s -> writers.add(s.object().writer())));
    Map<String, StreamLog> held = new TreeMap<>();
    RetentionLog retention = repository.retention();
    try (DigestSet there = new DigestSet(repository.scratch())) {
      for (String writer : writers) {
        repository
            .store()
            .streamObjects(writer, o -> there.put(SnapshotClosure.digestOf(o.name())));
      }
      there.settle();
      for (Map.Entry<String, StreamLog> log : logs.entrySet()) {
        DigestSet swept = retention.swept(writer(log.getKey()));
        held.put(
            log.getKey(),
            log.getValue()
                .without(o -> swept.contains(o.stored()))
                .heldBy(o -> there.contains(SnapshotClosure.digestOf(o.name()))));
      }
    }
    return new Streams(held, repository.isPinned());
  }

  /** A writer's name has no dot. */
  private static String writer(String log) {
    return log.substring(0, log.indexOf('.'));
  }

  private static void requireHead(StreamLog log, long slot) throws BackupException.Refused {
    long found = log.head().map(Head::sequence).orElse(0L);
    if (found != slot) {
      throw new BackupException.Refused(
          CoreFailure.PLAN_STALE,
          "log %s reached slot %d when the restore was planned, now slot %d"
              .formatted(log.log(), slot, found));
    }
  }

  /** The newest slot of each log. */
  Map<String, Long> heads() {
    Map<String, Long> heads = new TreeMap<>();
    logs.forEach(
        (log, view) -> view.head().map(Head::sequence).ifPresent(newest -> heads.put(log, newest)));
    return heads;
  }

  /** All of them. */
  List<StreamLog> all() {
    return List.copyOf(logs.values());
  }

  /**
   * The stream of this history; of several the one that reaches farthest. Where a reader has pinned
   * writers, only theirs count.
   */
  Optional<StreamLog> of(String lineage) {
    return logs.values().stream()
        .filter(log -> log.isTrusted() || !isPinned)
        .filter(log -> log.about().filter(a -> a.lineage().equals(lineage)).isPresent())
        .max(Comparator.comparing(Streams::coverage, FARTHEST));
  }

  private static final Comparator<Coverage> FARTHEST =
      Comparator.comparingLong(Coverage::newestBranch)
          .thenComparing((one, other) -> Long.compareUnsigned(lastOffset(one), lastOffset(other)));

  private static long lastOffset(Coverage coverage) {
    return coverage.slices().isEmpty()
        ? 0
        : coverage.slices().get(coverage.slices().size() - 1).to().offset();
  }

  private static Coverage coverage(StreamLog log) {
    return log.coverage()
        .orElseThrow(() -> new AssertionError("a log with a lineage has an entry: " + log.log()));
  }
}
