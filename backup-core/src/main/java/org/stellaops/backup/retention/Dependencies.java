package org.stellaops.backup.retention;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SourceName;

/**
 * What captures need to be restored: their parents, and the parents of these.
 *
 * <p>A writer builds on captures of its own only. A parent that is not in its log could be anything
 * that was committed before, and so could be what an unreadable snapshot needs: then all of it is
 * needed.
 */
final class Dependencies {
  private record Place(String log, SnapshotId snapshot, SourceName source) {}

  private record Lane(String log, SourceName source) {}

  private final Map<Place, List<Capture>> places;
  private final Map<Lane, List<Capture>> lanes;
  private final Map<Lane, List<Capture>> orphans;
  private final History history;
  private final Captures captures;

  Dependencies(Captures captures, History history) {
    this.captures = captures;
    this.history = history;
    this.places =
        Captures.by(
            c -> new Place(c.log(), c.snapshot().id(), c.header().source()), captures.all());
    this.lanes = Captures.by(c -> new Lane(c.log(), c.header().source()), captures.all());
    this.orphans =
        Captures.by(
            c -> new Lane(c.log(), c.header().source()),
            captures.all().stream().filter(this::needsUnknown).toList());
  }

  /** Keeps what is needed by what is kept, and by what cannot be read. */
  void keepIn(Keeping keeping) {
    keepForUnreadable(keeping);
    Map<Lane, Long> done = new HashMap<>();
    Deque<Capture> open = new ArrayDeque<>(keeping.kept());
    while (!open.isEmpty()) {
      Capture capture = open.remove();
      for (Capture parent : parents(capture)) {
        keep(parent, "needed by " + capture, keeping, open);
      }
      if (needsUnknown(capture)) {
        Lane lane = new Lane(capture.log(), capture.header().source());
        long below = done.merge(lane, capture.sequence(), Math::max);
        if (below == capture.sequence()) {
          earlier(lane, below).forEach(c -> keep(c, mayBeNeeded(capture), keeping, open));
        }
      }
    }
  }

  private static String mayBeNeeded(Capture capture) {
    return "may be needed by %s, whose parent is not known".formatted(capture);
  }

  private static void keep(Capture capture, String why, Keeping keeping, Deque<Capture> open) {
    if (!keeping.keeps(capture)) {
      keeping.keep(capture, why);
      open.add(capture);
    }
  }

  private void keepForUnreadable(Keeping keeping) {
    Map<String, Unreadable> last = new HashMap<>();
    for (Unreadable unreadable : history.unreadable()) {
      last.merge(unreadable.log(), unreadable, (a, b) -> a.sequence() < b.sequence() ? b : a);
    }
    for (Capture capture : captures.all()) {
      Unreadable unreadable = last.get(capture.log());
      if (unreadable != null && capture.sequence() < unreadable.sequence()) {
        keeping.keep(
            capture,
            "may be needed by %s/%d, which cannot be read: %s"
                .formatted(unreadable.log(), unreadable.sequence(), unreadable.found()));
      }
    }
  }

  /** The captures that it says it builds on, as far as there are any. */
  List<Capture> parents(Capture capture) {
    List<Capture> parents = new ArrayList<>();
    for (SnapshotId parent : capture.header().parents()) {
      parents.addAll(parents(capture, parent));
    }
    return parents;
  }

  private List<Capture> parents(Capture capture, SnapshotId parent) {
    Place place = new Place(capture.log(), parent, capture.header().source());
    return places.getOrDefault(place, List.of()).stream().filter(p -> p != capture).toList();
  }

  /** Whether it has a parent that is not there. */
  boolean needsUnknown(Capture capture) {
    return capture.header().parents().stream().anyMatch(p -> parents(capture, p).isEmpty());
  }

  /** The captures of the same source that stand before it in its log. */
  private List<Capture> earlier(Lane lane, long sequence) {
    return lanes.getOrDefault(lane, List.of()).stream()
        .filter(c -> c.sequence() < sequence)
        .toList();
  }

  /** The later captures of its source whose parents are not known: each may need it. */
  List<Capture> mayNeed(Capture capture) {
    Lane lane = new Lane(capture.log(), capture.header().source());
    return orphans.getOrDefault(lane, List.of()).stream()
        .filter(c -> c.sequence() > capture.sequence())
        .toList();
  }
}
