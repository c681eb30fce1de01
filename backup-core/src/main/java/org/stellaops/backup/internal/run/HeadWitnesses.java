package org.stellaops.backup.internal.run;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.LogHead;
import org.stellaops.backup.model.SlotRange;
import org.stellaops.backup.model.StoreRole;

/**
 * What the entries of each log say of the heads of the others: whoever wants to hide the end of one
 * must hide those, too.
 *
 * <p>A claim that does not fit has one of two reasons, and nobody can tell which from the store:
 * the log was rolled back or replaced, or the one who claims it lies. So it is reported with his
 * name, and stands until an administrator says that he was taken over. Only who contradicts himself
 * is told to be wrong at once: who saw a log up to some entry cannot have seen another one below it
 * later.
 */
final class HeadWitnesses {
  private static final String FIELD = "heads";

  private final Map<String, Seen> logs = new HashMap<>();
  private final Map<String, List<Finding>> damage = new TreeMap<>();
  private final Predicate<String> isCared;
  private final boolean isPinned;
  private final boolean isSubset;

  private HeadWitnesses(
      List<LogView> all, boolean isPinned, StoreRole role, Predicate<String> isCared) {
    all.forEach(log -> logs.put(log.log(), Seen.of(log)));
    this.isPinned = isPinned;
    this.isSubset = role.isSubset();
    this.isCared = isCared;
  }

  /**
   * The same logs, with what others saw in them and is not there among their damage.
   *
   * @param isPinned whether the reader said whose signatures count; then no others do
   * @param role of the store: what a copy does not hold says nothing
   * @param isCared whether somebody is pinned for a log; asked only then. What is said of another
   *     one is of no interest: whoever writes to the store could make such a log, and remove it
   */
  static List<LogView> compared(
      List<LogView> logs, boolean isPinned, StoreRole role, Predicate<String> isCared) {
    HeadWitnesses witnesses = new HeadWitnesses(logs, isPinned, role, isCared);
    Disbelief disbelief = Disbelief.of(logs);
    logs.forEach(log -> witnesses.hear(log, disbelief));
    return witnesses.withDamage(logs);
  }

  private List<LogView> withDamage(List<LogView> all) {
    List<LogView> compared = new ArrayList<>();
    all.forEach(log -> compared.add(with(log, damage.remove(log.log()))));
    damage.forEach((log, found) -> compared.add(lost(log, found)));
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

  /** Compares what a log says; each speaker in it for himself. */
  private void hear(LogView log, Disbelief disbelief) {
    Map<String, Speaker> speakers = new HashMap<>();
    for (LogView.Standing standing : log.entries()) {
      Entry entry = standing.entry();
      if ((standing.isTrusted() || !isPinned) && disbelief.isBelieved(entry)) {
        speakers.computeIfAbsent(entry.publicKey(), k -> new Speaker()).hear(entry);
      }
    }
  }

  /** Of thousands of entries most say what the one before them said. */
  private final class Speaker {
    private final Set<String> heard = new HashSet<>();
    private final Map<String, LogHead> confirmed = new HashMap<>();
    private final Map<String, Long> confirmedIn = new HashMap<>();

    void hear(Entry entry) {
      for (String field : entry.fields(FIELD)) {
        if (heard.add(field)) {
          parsed(field)
              .filter(c -> !isPinned || isCared.test(c.log()))
              .ifPresent(c -> hear(entry, c));
        }
      }
    }

    private void hear(Entry entry, LogHead claim) {
      Seen seen = logs.getOrDefault(claim.log(), Seen.NOTHING);
      boolean isHere = seen.entries().containsKey(claim.sequence());
      if (!isHere && (isSubset || seen.isNotHeld(claim.sequence()))) {
        return;
      }
      LogHead before = confirmed.get(claim.log());
      if (seen.holds(claim)) {
        if (before == null || before.sequence() < claim.sequence()) {
          confirmed.put(claim.log(), claim);
          confirmedIn.put(claim.log(), entry.sequence());
        }
      } else if (before != null && claim.sequence() <= before.sequence()) {
        report(entry.log(), contradiction(entry, claim, before));
      } else {
        report(claim.log(), missing(entry, claim));
      }
    }

    private Finding contradiction(Entry entry, LogHead claim, LogHead before) {
      return new Finding(
          CoreFailure.WENT_BACKWARDS,
          entry.objectName(),
          "says that %s was in log %s, where its own entry %d saw others up to %d; hint: was %s taken over?"
              .formatted(
                  claim.entry(),
                  claim.log() + "/" + claim.sequence(),
                  confirmedIn.getOrDefault(claim.log(), 0L),
                  before.sequence(),
                  entry.log()));
    }
  }

  private void report(String log, Finding finding) {
    damage.computeIfAbsent(log, l -> new ArrayList<>()).add(finding);
  }

  /** A newer version's words say nothing to us, and its others may. */
  private static Optional<LogHead> parsed(String field) {
    try {
      return Optional.of(LogHead.parse(field));
    } catch (IllegalArgumentException ofAnotherVersion) {
      return Optional.empty();
    }
  }

  private static Finding missing(Entry witness, LogHead claim) {
    return new Finding(
        CoreFailure.WENT_BACKWARDS,
        "log/%s/%010d.entry".formatted(claim.log(), claim.sequence()),
        "was seen with digest %s, says %s, and is not there; hint: either this log was rolled back or replaced, or %s was taken over: then seal that writer since the entry with which it began"
            .formatted(claim.entry(), name(witness), speaker(witness)));
  }

  private static String name(Entry witness) {
    return "entry %d of log %s".formatted(witness.sequence(), witness.log());
  }

  private static String speaker(Entry witness) {
    return Names.isCommon(witness.log()) ? "who has the key " + witness.publicKey() : witness.log();
  }

  /** What an entry says of the heads of other logs, as far as it can be read. */
  static List<LogHead> claims(Entry entry) {
    return entry.fields(FIELD).stream()
        .map(HeadWitnesses::parsed)
        .flatMap(Optional::stream)
        .toList();
  }

  /** Whether a trusted entry of another log, which is believed, saw this head. */
  static boolean isWitnessed(LogHead head, List<LogView> logs) {
    Disbelief disbelief = Disbelief.of(logs);
    String wanted = head.toString();
    return logs.stream()
        .filter(log -> !log.log().equals(head.log()))
        .flatMap(log -> log.entries().stream())
        .filter(s -> s.isTrusted() && disbelief.isBelieved(s.entry()))
        .anyMatch(s -> s.entry().fields(FIELD).contains(wanted));
  }

  /** What stands in a log, and where something is wrong already. */
  private record Seen(Map<Long, Digest> entries, Set<Long> damaged, List<SlotRange> notHeld) {
    static final Seen NOTHING = new Seen(Map.of(), Set.of(), List.of());

    static Seen of(LogView log) {
      Map<Long, Digest> entries = new HashMap<>();
      log.entries().forEach(s -> entries.put(s.entry().sequence(), s.entry().digest()));
      Set<Long> damaged = new HashSet<>();
      log.damage().forEach(f -> Names.slot(f.subject()).ifPresent(damaged::add));
      return new Seen(entries, damaged, log.notHeld());
    }

    /** A copy lacks it, also one that became the primary. */
    boolean isNotHeld(long slot) {
      return notHeld.stream().anyMatch(r -> r.first() <= slot && slot <= r.last());
    }

    boolean holds(LogHead claim) {
      return Optional.ofNullable(entries.get(claim.sequence()))
          .map(claim.entry()::equals)
          .orElse(damaged.contains(claim.sequence()));
    }
  }
}
