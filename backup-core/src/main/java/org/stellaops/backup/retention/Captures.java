package org.stellaops.backup.retention;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.SnapshotSummary;

/** The captures of a history, newest first, each with the time that counts. */
final class Captures {
  private static final Comparator<Capture> NEWEST_FIRST =
      Comparator.comparing(Capture::time)
          .thenComparing(Capture::sequence)
          .reversed()
          .thenComparing(Capture::log)
          .thenComparing(c -> c.header().source());

  private final List<Capture> all;

  private Captures(List<Capture> all) {
    this.all = List.copyOf(all);
  }

  static Captures of(History history) {
    Map<String, Map<Long, Instant>> retimed = new HashMap<>();
    history
        .retimed()
        .forEach(
            r ->
                retimed.computeIfAbsent(r.log(), l -> new HashMap<>()).put(r.sequence(), r.time()));
    List<SnapshotSummary> inOrder = new ArrayList<>(history.snapshots());
    inOrder.sort(
        Comparator.comparing(SnapshotSummary::writer).thenComparing(SnapshotSummary::sequence));
    Map<String, Instant> latest = new HashMap<>();
    List<Capture> all = new ArrayList<>();
    for (SnapshotSummary snapshot : inOrder) {
      Instant said = retimed.getOrDefault(snapshot.writer(), Map.of()).get(snapshot.sequence());
      List<CaptureHeader> headers =
          snapshot.captures().stream().map(c -> said == null ? c : at(c, said)).toList();
      headers.forEach(c -> latest.merge(snapshot.writer(), c.time(), Captures::later));
      boolean counts = snapshot.isAuthenticated() || !history.isPinned();
      headers.forEach(
          c ->
              all.add(
                  new Capture(
                      snapshot,
                      c,
                      counts,
                      later(c.time(), latest.getOrDefault(snapshot.writer(), c.time())))));
    }
    all.sort(NEWEST_FIRST);
    return new Captures(all);
  }

  private static Instant later(Instant a, Instant b) {
    return a.isBefore(b) ? b : a;
  }

  private static CaptureHeader at(CaptureHeader c, Instant time) {
    return new CaptureHeader(
        c.snapshot(),
        c.source(),
        c.component(),
        c.kind(),
        time,
        c.sequence(),
        c.outcome(),
        c.parents(),
        c.span(),
        c.plainBytes(),
        c.storedBytes(),
        c.newBytes());
  }

  /** All of them. */
  List<Capture> all() {
    return all;
  }

  /** Those of whose writers the word counts. */
  List<Capture> counted() {
    return all.stream().filter(Capture::counts).toList();
  }

  /** Grouped; groups and what is in them in the given order. */
  static <K> Map<K, List<Capture>> by(Function<Capture, K> key, List<Capture> captures) {
    Map<K, List<Capture>> groups = new LinkedHashMap<>();
    captures.forEach(c -> groups.computeIfAbsent(key.apply(c), k -> new ArrayList<>()).add(c));
    return groups;
  }
}
