package org.stellaops.backup.retention;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotSummary;

/**
 * What must be kept, one sentence at a time and each asked of every capture against all others:
 * slow, without order, buckets or queues.
 */
final class RetentionOracle {
  /** One capture. */
  record Unit(SnapshotSummary snapshot, CaptureHeader capture) {
    String key() {
      return snapshot.writer() + "/" + snapshot.sequence() + " " + capture.source();
    }

    boolean isGood() {
      return capture.outcome() == Outcome.GOOD;
    }

    boolean isLike(Unit other) {
      return snapshot.writer().equals(other.snapshot.writer())
          && capture.source().equals(other.capture.source())
          && capture.component().equals(other.capture.component());
    }

    boolean isNewerThan(Unit other) {
      int times = capture.time().compareTo(other.capture.time());
      return times > 0 || (times == 0 && snapshot.sequence() > other.snapshot.sequence());
    }
  }

  /** A sentence of a policy, about a capture among those like it. */
  interface Sentence extends BiPredicate<Unit, List<Unit>> {}

  private final History history;
  private final Duration minimumAge;
  private final List<Unit> all;
  private final List<Unit> counted;
  private final Set<String> orphans;

  RetentionOracle(History history, Duration minimumAge) {
    this.history = history;
    this.minimumAge = minimumAge;
    this.all =
        history.snapshots().stream()
            .flatMap(s -> s.captures().stream().map(c -> new Unit(s, c)))
            .toList();
    this.counted = all.stream().filter(u -> u.snapshot.isAuthenticated()).toList();
    this.orphans = all.stream().filter(this::isOrphan).map(Unit::key).collect(Collectors.toSet());
  }

  static Sentence youngerThan(Duration age, Instant now) {
    return (u, like) -> Duration.between(u.capture.time(), now).compareTo(age) <= 0;
  }

  static Sentence leadingTo(Duration age, Instant now) {
    Predicate<Unit> before =
        u -> u.isGood() && Duration.between(u.capture.time(), now).compareTo(age) >= 0;
    return (u, like) ->
        before.test(u) && like.stream().noneMatch(o -> before.test(o) && o.isNewerThan(u));
  }

  static Sentence amongGood(int n) {
    return (u, like) ->
        u.isGood() && like.stream().filter(o -> o.isGood() && o.isNewerThan(u)).count() < n;
  }

  /** The texts of ISO 8601 name hours, days, months and years by their first letters. */
  static Sentence newestOf(int letters, int n) {
    Map<Instant, String> names = new HashMap<>();
    Function<Unit, String> name =
        u -> names.computeIfAbsent(u.capture.time(), t -> name(t.toString(), letters));
    return (u, like) ->
        u.isGood()
            && like.stream().noneMatch(o -> isNewerIn(name.apply(u), name, o, u))
            && like.stream()
                    .filter(o -> o.isGood() && name.apply(o).compareTo(name.apply(u)) > 0)
                    .map(name)
                    .distinct()
                    .count()
                < n;
  }

  private static boolean isNewerIn(
      String bucket, Function<Unit, String> name, Unit other, Unit unit) {
    return other.isGood() && other.isNewerThan(unit) && name.apply(other).equals(bucket);
  }

  private static String name(String text, int letters) {
    if (letters != 0) {
      return text.substring(0, letters);
    }
    // Weeks are counted from Monday 1969-12-29.
    return "%08d"
        .formatted(Math.floorDiv(LocalDate.parse(text.substring(0, 10)).toEpochDay() + 3, 7));
  }

  /** Everything that has to stay. */
  Set<String> kept(Sentence policy) {
    Set<Unit> kept = new HashSet<>();
    for (Unit u : all) {
      if (!u.snapshot.isAuthenticated() || isHeld(u) || isYoung(u) || mayBeNeededUnseen(u)) {
        kept.add(u);
      } else if (isKept(policy, u) || isOnTheFloor(u) || isOfTheNewestWhole(u)) {
        kept.add(u);
      }
    }
    boolean grew = true;
    while (grew) {
      List<Unit> children = kept.stream().filter(k -> k.capture.isIncremental()).toList();
      grew =
          kept.addAll(
              all.stream()
                  .filter(u -> !kept.contains(u))
                  .filter(u -> children.stream().anyMatch(k -> needs(k, u)))
                  .toList());
    }
    return kept.stream().map(Unit::key).collect(Collectors.toSet());
  }

  private boolean isKept(Sentence policy, Unit u) {
    List<Unit> like = counted.stream().filter(u::isLike).toList();
    List<Unit> sound = like.stream().filter(o -> !o.snapshot.isReportedDamaged()).toList();
    return policy.test(u, like) || (sound.contains(u) && policy.test(u, sound));
  }

  private boolean isHeld(Unit u) {
    return history.holds().stream()
        .anyMatch(
            h ->
                h.snapshot().equals(u.snapshot.id())
                    && h.until().map(history.now()::isBefore).orElse(true));
  }

  private boolean isYoung(Unit u) {
    return all.stream()
        .filter(o -> o.snapshot.writer().equals(u.snapshot.writer()))
        .filter(o -> o.snapshot.sequence() <= u.snapshot.sequence())
        .anyMatch(o -> Duration.between(o.capture.time(), history.now()).compareTo(minimumAge) < 0);
  }

  private boolean mayBeNeededUnseen(Unit u) {
    return history.unreadable().stream()
        .anyMatch(x -> x.log().equals(u.snapshot.writer()) && x.sequence() > u.snapshot.sequence());
  }

  private boolean isOnTheFloor(Unit u) {
    boolean somethingBetter =
        counted.stream()
            .anyMatch(o -> u.isLike(o) && o.capture.outcome().compareTo(u.capture.outcome()) < 0);
    return (!somethingBetter && isNewest(u, o -> o.capture.outcome() == u.capture.outcome()))
        || isNewest(u, o -> o.isGood() || o.capture.outcome() == Outcome.DEGRADED)
        || isNewest(u, o -> o.isGood() && !o.snapshot.isReportedDamaged())
        || isNewest(u, o -> o.isGood() && o.snapshot.isVerifiedByAnother());
  }

  private boolean isNewest(Unit u, Predicate<Unit> which) {
    return which.test(u)
        && counted.stream().noneMatch(o -> o.isLike(u) && which.test(o) && o.isNewerThan(u));
  }

  /** No later snapshot of its plan has all of the component, and good. */
  private boolean isOfTheNewestWhole(Unit u) {
    Component component = u.capture.component();
    return isWholeAndGood(u.snapshot, component)
        && counted.stream()
            .filter(o -> o.snapshot.writer().equals(u.snapshot.writer()))
            .filter(o -> o.capture.component().equals(component))
            .filter(o -> o.snapshot != u.snapshot && isWholeAndGood(o.snapshot, component))
            .noneMatch(
                o ->
                    counted.stream()
                        .filter(own -> own.snapshot == u.snapshot)
                        .filter(own -> own.capture.component().equals(component))
                        .allMatch(o::isNewerThan));
  }

  private static boolean isWholeAndGood(SnapshotSummary snapshot, Component component) {
    return snapshot.isWhole(component)
        && snapshot.captures().stream()
            .filter(c -> c.component().equals(component))
            .allMatch(c -> c.outcome() == Outcome.GOOD);
  }

  /** Whether {@code child} builds on the other, or on something unknown that it could be. */
  boolean needs(Unit child, Unit other) {
    if (!child.snapshot.writer().equals(other.snapshot.writer())
        || !child.capture.source().equals(other.capture.source())) {
      return false;
    }
    return child.capture.parents().contains(other.snapshot.id())
        || (orphans.contains(child.key()) && other.snapshot.sequence() < child.snapshot.sequence());
  }

  private boolean isOrphan(Unit child) {
    return child.capture.parents().stream()
        .anyMatch(
            p ->
                all.stream()
                    .noneMatch(
                        o ->
                            o != child
                                && o.snapshot.id().equals(p)
                                && o.snapshot.writer().equals(child.snapshot.writer())
                                && o.capture.source().equals(child.capture.source())));
  }

  /** Snapshots whose time cannot be true. */
  Set<String> unsound() {
    return counted.stream()
        .filter(
            u ->
                u.capture.time().isAfter(history.now().plusSeconds(900))
                    || counted.stream().anyMatch(o -> isAgainst(u, o)))
        .map(Unit::key)
        .collect(Collectors.toSet());
  }

  private static boolean isAgainst(Unit u, Unit before) {
    Duration behind = Duration.between(u.capture.time(), before.capture.time());
    return u.snapshot.writer().equals(before.snapshot.writer())
        && before.snapshot.sequence() < u.snapshot.sequence()
        && behind.compareTo(u.isLike(before) ? Duration.ofMinutes(15) : Duration.ofDays(7)) > 0;
  }
}
