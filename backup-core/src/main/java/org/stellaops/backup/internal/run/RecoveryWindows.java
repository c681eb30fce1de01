package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.RecoveryWindow;
import org.stellaops.backup.model.RecoveryWindow.Span;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.retention.RetentionRules;

/**
 * Holds what can be reached of each source that a recorded stream follows against what its policy
 * says. No identity is needed.
 */
final class RecoveryWindows {
  private final RetentionRules rules;
  private final Streams streams;
  private final Map<Key, Reach> reached = new TreeMap<>();

  private RecoveryWindows(RetentionRules rules, Streams streams) {
    this.rules = rules;
    this.streams = streams;
  }

  /** As they are now. */
  static List<RecoveryWindow> now(Repository repository, RetentionRules rules, Instant asOf)
      throws IOException {
    RecoveryWindows windows = new RecoveryWindows(rules, Streams.now(repository));
    SnapshotList list = SnapshotList.read(repository);
    list.believed().forEach(windows::add);
    list.retired().stream()
        .filter(k -> k.summary().isAuthenticated() || !repository.isPinned())
        .forEach(windows::add);
    return windows.asOf(asOf);
  }

  private record Key(String writer, SourceName source) implements Comparable<Key> {
    @Override
    public int compareTo(Key other) {
      int byWriter = writer.compareTo(other.writer);
      return byWriter != 0 ? byWriter : source.compareTo(other.source);
    }
  }

  private static final class Reach {
    final Duration wanted;
    Instant first = Instant.MAX;
    final List<Span> spans = new ArrayList<>();

    Reach(Duration wanted) {
      this.wanted = wanted;
    }
  }

  /** Also what was let go: it tells since when the history goes back. */
  private void add(SnapshotList.Known known) {
    for (SnapshotEntry.Part part : known.entry().parts()) {
      CaptureHeader capture = part.header();
      Optional<Duration> wanted =
          rules.policy(capture.source(), capture.component()).recoverableFor();
      Optional<StreamLog> stream = capture.span().flatMap(span -> streams.of(span.end().lineage()));
      if (wanted.isPresent() && stream.isPresent() && capture.outcome() == Outcome.GOOD) {
        Reach reach =
            reached.computeIfAbsent(
                new Key(known.summary().writer(), capture.source()), k -> new Reach(wanted.get()));
        CaptureSpan span = capture.span().orElseThrow();
        if (span.recoverableFrom().isBefore(reach.first)) {
          reach.first = span.recoverableFrom();
        }
        if (!isLetGo(known, capture)) {
          reach.spans.add(reachable(span, stream.get()));
        }
      }
    }
  }

  private static boolean isLetGo(SnapshotList.Known known, CaptureHeader capture) {
    return known.summary().captures().stream().noneMatch(c -> c.source().equals(capture.source()));
  }

  private static Span reachable(CaptureSpan span, StreamLog stream) {
    Instant from = span.recoverableFrom();
    Instant to =
        stream
            .coverage()
            .flatMap(c -> c.onwardFrom(span.end()))
            .flatMap(SliceSpan::lastTime)
            .filter(t -> t.isAfter(from))
            .orElse(from);
    return new Span(from, to);
  }

  private List<RecoveryWindow> asOf(Instant asOf) {
    List<RecoveryWindow> windows = new ArrayList<>();
    reached.forEach(
        (key, reach) ->
            windows.add(
                RecoveryWindow.of(
                    key.writer(), key.source(), reach.wanted, asOf, reach.first, reach.spans)));
    return List.copyOf(windows);
  }
}
