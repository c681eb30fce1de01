package org.stellaops.backup.retention;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Chooses what to release first: the oldest, each together with whatever needs it, until enough is
 * released.
 */
final class FullStore {
  private final Captures captures;
  private final Dependencies dependencies;

  FullStore(Captures captures, Dependencies dependencies) {
    this.captures = captures;
    this.dependencies = dependencies;
  }

  /** Keeps, of what is not kept yet, what need not go for so many bytes. */
  void keepBeyond(long bytesToFree, Keeping keeping) {
    List<Capture> oldestFirst = new ArrayList<>(captures.all());
    Collections.reverse(oldestFirst);
    oldestFirst.removeIf(keeping::keeps);
    Map<Capture, List<Capture>> children = children(oldestFirst);
    Set<Capture> released = new HashSet<>();
    long bytes = 0;
    for (Capture capture : oldestFirst) {
      if (bytes < bytesToFree) {
        bytes += release(capture, children, released);
      } else if (!released.contains(capture)) {
        keeping.keep(capture, "enough is released without it");
      }
    }
  }

  private Map<Capture, List<Capture>> children(List<Capture> releasable) {
    Map<Capture, List<Capture>> children = new HashMap<>();
    for (Capture child : releasable) {
      for (Capture parent : dependencies.parents(child)) {
        children.computeIfAbsent(parent, p -> new ArrayList<>()).add(child);
      }
    }
    return children;
  }

  /** Whatever needs it is releasable, too: what is kept keeps what it needs. */
  private long release(
      Capture oldest, Map<Capture, List<Capture>> children, Set<Capture> released) {
    long bytes = 0;
    Deque<Capture> open = new ArrayDeque<>(List.of(oldest));
    while (!open.isEmpty()) {
      Capture capture = open.remove();
      if (released.add(capture)) {
        bytes += capture.header().newBytes();
        open.addAll(children.getOrDefault(capture, List.of()));
        open.addAll(dependencies.mayNeed(capture));
      }
    }
    return bytes;
  }
}
