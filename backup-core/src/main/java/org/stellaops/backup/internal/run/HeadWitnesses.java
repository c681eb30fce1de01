package org.stellaops.backup.internal.run;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.LogHead;

/**
 * What the entries of each log say of the heads of the others: whoever wants to hide the end of one
 * must hide those, too.
 */
final class HeadWitnesses {
  private static final String FIELD = "heads";

  private HeadWitnesses() {}

  /** The same logs, with what others saw in them and is not there among their damage. */
  static List<LogView> compared(List<LogView> logs, boolean isPinned) {
    Map<String, List<Finding>> missing = new TreeMap<>();
    Map<String, Seen> seen = new HashMap<>();
    logs.forEach(log -> seen.put(log.log(), Seen.of(log)));
    for (LogView log : logs) {
      for (LogHead claim : claims(log, isPinned)) {
        Seen there = seen.getOrDefault(claim.log(), Seen.NOTHING);
        if (!there.holds(claim)) {
          missing
              .computeIfAbsent(claim.log(), l -> new ArrayList<>())
              .add(finding(log.log(), claim));
        }
      }
    }
    List<LogView> compared = new ArrayList<>();
    logs.forEach(log -> compared.add(with(log, missing.remove(log.log()))));
    missing.forEach((log, damage) -> compared.add(lost(log, damage)));
    return compared;
  }

  /** A log of which nothing is left but what others saw. */
  private static LogView lost(String log, List<Finding> damage) {
    return new LogView(log, List.of(), damage, Optional.empty(), false);
  }

  private static LogView with(LogView log, @Nullable List<Finding> missing) {
    if (missing == null) {
      return log;
    }
    List<Finding> damage = new ArrayList<>(log.damage());
    damage.addAll(missing);
    return log.with(damage, log.isHeadSound());
  }

  /** What trusted entries of a log say of others; each claim once. */
  private static Set<LogHead> claims(LogView log, boolean isPinned) {
    Set<String> fields = new LinkedHashSet<>();
    for (LogView.Standing standing : log.entries()) {
      if (standing.isTrusted() || !isPinned) {
        fields.addAll(standing.entry().fields(FIELD));
      }
    }
    return claims(fields);
  }

  /** Of thousands of entries most say what the one before them said. */
  private static Set<LogHead> claims(Set<String> fields) {
    Set<LogHead> claims = new LinkedHashSet<>();
    for (String field : fields) {
      try {
        claims.add(LogHead.parse(field));
      } catch (IllegalArgumentException ofAnotherVersion) {
        // A newer version's words say nothing to us, and its others may.
      }
    }
    return claims;
  }

  /** Whether a trusted entry of another log saw this head. */
  static boolean isWitnessed(LogHead head, List<LogView> logs) {
    return logs.stream()
        .filter(log -> !log.log().equals(head.log()))
        .flatMap(log -> claims(log, true).stream())
        .anyMatch(head::equals);
  }

  private static Finding finding(String witness, LogHead claim) {
    return new Finding(
        CoreFailure.WENT_BACKWARDS,
        "log/%s/%010d.entry".formatted(claim.log(), claim.sequence()),
        "was seen with digest %s by log %s, and is not there".formatted(claim.entry(), witness));
  }

  /** What stands in a log, and where something is wrong already. */
  private record Seen(Map<Long, Digest> entries, Set<Long> damaged) {
    static final Seen NOTHING = new Seen(Map.of(), Set.of());

    static Seen of(LogView log) {
      Map<Long, Digest> entries = new HashMap<>();
      log.entries().forEach(s -> entries.put(s.entry().sequence(), s.entry().digest()));
      Set<Long> damaged = new HashSet<>();
      log.damage().forEach(f -> Names.slot(f.subject()).ifPresent(damaged::add));
      return new Seen(entries, damaged);
    }

    boolean holds(LogHead claim) {
      return Optional.ofNullable(entries.get(claim.sequence()))
          .map(claim.entry()::equals)
          .orElse(damaged.contains(claim.sequence()));
    }
  }
}
