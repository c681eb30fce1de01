package org.stellaops.backup.retention;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What is kept so far, and why. */
final class Keeping {
  private final Map<Capture, Set<String>> reasons = new LinkedHashMap<>();

  /** Keeps it; true if nothing did before. */
  boolean keep(Capture capture, String reason) {
    boolean isNew = !reasons.containsKey(capture);
    reasons.computeIfAbsent(capture, c -> new LinkedHashSet<>()).add(reason);
    return isNew;
  }

  boolean keeps(Capture capture) {
    return reasons.containsKey(capture);
  }

  /** Empty if it is not kept. */
  List<String> reasons(Capture capture) {
    return List.copyOf(reasons.getOrDefault(capture, Set.of()));
  }

  /** All that is kept at this moment. */
  List<Capture> kept() {
    return new ArrayList<>(reasons.keySet());
  }
}
