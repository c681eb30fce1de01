package org.stellaops.backup.retention;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Outcome;

/**
 * What nothing releases, whoever asks: of each writer and source the newest good capture, the
 * newest good one that another principal verified, the newest good one that nobody found damaged,
 * and what is newer and complete; of each component the newest snapshot that has all of it; what is
 * held; what is young.
 *
 * <p>Where a source has no good capture, its best takes that place: a source that always has
 * findings is not left with nothing.
 */
final class Floor {
  private final Captures captures;
  private final History history;
  private final Instant youngAfter;
  private final Set<Capture> allowed;

  /**
   * @param allowed captures that may go though they are the last good ones, and that nothing else
   *     is to be built on
   */
  Floor(Captures captures, History history, RetentionRules rules, Set<Capture> allowed) {
    this.captures = captures;
    this.history = history;
    this.youngAfter = history.now().minus(rules.minimumAge());
    this.allowed = allowed;
  }

  void keepIn(Keeping keeping) {
    for (Capture capture : captures.all()) {
      if (capture.notBefore().isAfter(youngAfter)) {
        keeping.keep(capture, "younger than the minimum age");
      }
      for (Hold hold : history.holds()) {
        if (hold.snapshot().equals(capture.snapshot().id()) && hold.isActive(history.now())) {
          keeping.keep(capture, "held for %s: %s".formatted(hold.actor(), hold.reason()));
        }
      }
    }
    List<Capture> counted = captures.counted().stream().filter(c -> !allowed.contains(c)).toList();
    Captures.by(Series::of, counted).values().forEach(series -> keepOfSource(series, keeping));
    Captures.by(Part::of, counted).values().forEach(part -> keepOfComponent(part, keeping));
  }

  private static void keepOfSource(List<Capture> newestFirst, Keeping keeping) {
    Outcome best =
        newestFirst.stream().map(Floor::outcome).min(Comparator.naturalOrder()).orElseThrow();
    newest(newestFirst, c -> outcome(c) == best)
        .ifPresent(
            c ->
                keeping.keep(
                    c,
                    "floor: newest %s of its source"
                        .formatted(best.name().toLowerCase(Locale.ROOT))));
    newest(newestFirst, c -> outcome(c).compareTo(Outcome.DEGRADED) <= 0)
        .ifPresent(c -> keeping.keep(c, "floor: newest complete of its source"));
    newest(newestFirst, c -> c.isGood() && !c.snapshot().isReportedDamaged())
        .ifPresent(
            c -> keeping.keep(c, "floor: newest good of its source that nobody found damaged"));
    newest(newestFirst, c -> c.isGood() && c.snapshot().isVerifiedByAnother())
        .ifPresent(c -> keeping.keep(c, "floor: newest good of its source that another verified"));
  }

  private static Outcome outcome(Capture capture) {
    return capture.header().outcome();
  }

  private static Optional<Capture> newest(List<Capture> newestFirst, Predicate<Capture> which) {
    return newestFirst.stream().filter(which).findFirst();
  }

  /** A component as one plan of one writer knows it. */
  private record Part(String log, String plan, Component component) {
    static Part of(Capture capture) {
      return new Part(capture.log(), capture.snapshot().plan(), capture.header().component());
    }
  }

  private static void keepOfComponent(List<Capture> newestFirst, Keeping keeping) {
    for (List<Capture> snapshot : Captures.by(Capture::sequence, newestFirst).values()) {
      Capture any = snapshot.get(0);
      if (any.snapshot().isWhole(any.header().component())
          && snapshot.stream().allMatch(Capture::isGood)) {
        snapshot.forEach(
            c -> keeping.keep(c, "floor: newest in which all of its component is good"));
        return;
      }
    }
  }
}
