package org.stellaops.backup.retention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.retention.RetentionOracle.Sentence;
import org.stellaops.backup.spi.RetentionPolicy;

/** Five years of several writers, pruned again and again under policies that change. */
class RetainingPropertyTest {
  private static final Instant START = Instant.parse("2023-06-01T03:00:00Z");
  private static final int YEARS = 5;
  private static final int PRUNES = 12;
  private static final List<String> SOURCES = List.of("db", "db2", "etc");

  static IntStream seeds() {
    return IntStream.range(0, 4);
  }

  static IntStream moreSeeds() {
    return IntStream.range(1000, 1200);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void what_is_kept_is_what_the_definitions_say(int seed) {
    new Walk(seed).go();
  }

  @Tag("soak")
  @ParameterizedTest
  @MethodSource("moreSeeds")
  void what_is_kept_is_what_the_definitions_say_of_many_more(int seed) {
    new Walk(seed).go();
  }

  /** A walk that meets nothing would prove nothing. */
  @Test
  void the_walks_meet_what_they_are_about() {
    Set<String> met = new HashSet<>();
    seeds().forEach(seed -> met.addAll(new Walk(seed).go()));
    assertEquals(
        Set.of(
            "released",
            "blocked",
            "held",
            "needed",
            "unknown parent",
            "unreadable",
            "verified",
            "damaged",
            "unpinned",
            "whole component",
            "attacked",
            "full store"),
        met);
  }

  private static final class Walk {
    private final Random random;
    private final int seed;
    private final List<Made> history = new ArrayList<>();
    private final List<Hold> holds = new ArrayList<>();
    private final List<Unreadable> unreadable = new ArrayList<>();
    private final long[] sequences = new long[4];
    private final Set<String> met = new HashSet<>();
    private int number;

    Walk(int seed) {
      this.seed = seed;
      this.random = new Random(seed);
    }

    private boolean chance(double rate) {
      return random.nextDouble() < rate;
    }

    Set<String> go() {
      Instant now = START;
      Duration leg = Duration.ofDays(365L * YEARS / PRUNES);
      for (int prune = 0; prune < PRUNES; prune++) {
        for (int writer = 0; writer < 3; writer++) {
          capture(writer, now, leg);
        }
        now = now.plus(leg);
        mark(now);
        prune(now);
      }
      return met;
    }

    /** The third writer is pinned by nobody. */
    private void capture(int writer, Instant from, Duration leg) {
      long hours = List.of(7L, 24L, 72L, 24L * 9).get(random.nextInt(4));
      int captures = (int) Math.min(8, leg.toHours() / hours);
      Instant at = from.plus(leg).minus(Duration.ofHours(hours * captures));
      for (int i = 0; i < captures; i++) {
        at = at.plus(Duration.ofHours(hours)).plusSeconds(random.nextInt(1800) - 900);
        if (!chance(0.15)) {
          Instant told = chance(0.01) ? at.plusSeconds(86_400L * (random.nextInt(800) - 400)) : at;
          add(writer, told);
        }
      }
    }

    private void add(int writer, Instant time) {
      String log = "host-" + (char) ('a' + writer);
      long sequence = ++sequences[writer];
      Made made = Made.empty(log, sequence, "id-" + ++number);
      for (String source : SOURCES) {
        if (!chance(0.1)) {
          Component of = source.equals("etc") ? Component.CONFIG : Component.DATABASE;
          made = made.with(source, of, time, outcome(), parents(log, source));
        }
      }
      if (chance(0.2)) {
        made = made.missing(Component.DATABASE);
      }
      if (chance(0.1) && !made.captures().isEmpty()) {
        made = made.verified(chance(0.8) ? Verdict.INTACT : Verdict.DAMAGED, chance(0.6));
      }
      history.add(writer == 2 ? made.unpinned() : made);
    }

    private Outcome outcome() {
      return chance(0.75) ? Outcome.GOOD : Outcome.values()[random.nextInt(4)];
    }

    private String[] parents(String log, String source) {
      if (chance(0.5)) {
        return new String[0];
      }
      if (chance(0.01)) {
        return new String[] {"lost"};
      }
      for (int i = history.size() - 1; i >= 0 && i > history.size() - 60; i--) {
        Made before = history.get(i);
        boolean isParent =
            before.log().equals(log)
                && before.captures().stream()
                    .anyMatch(
                        c -> c.source().value().equals(source) && c.outcome() == Outcome.GOOD);
        if (isParent) {
          return new String[] {before.id()};
        }
      }
      return new String[0];
    }

    private void mark(Instant now) {
      if (chance(0.5)) {
        SnapshotId held = new SnapshotId(history.get(random.nextInt(history.size())).id());
        Optional<Instant> until =
            chance(0.5) ? Optional.empty() : Optional.of(now.plus(Duration.ofDays(200)));
        holds.add(new Hold(held, "audit", until, "anna"));
      }
      if (chance(0.05)) {
        unreadable.add(new Unreadable("host-b", sequences[1] / 2, "of a newer format"));
      }
    }

    private record Rule(RetentionPolicy policy, Sentence sentence) {
      Rule and(Rule other) {
        return new Rule(
            policy.and(other.policy),
            (u, like) -> sentence.test(u, like) || other.sentence.test(u, like));
      }
    }

    private Rule rule(Instant now) {
      int n = 1 + random.nextInt(12);
      Duration age = Duration.ofDays(1 + random.nextInt(200));
      return switch (random.nextInt(8)) {
        case 0 -> new Rule(Retention.keepFor(age), RetentionOracle.youngerThan(age, now));
        case 1 ->
            new Rule(Retention.recoverableFor(age), RetentionOracle.youngerThan(age, now))
                .and(new Rule(Retention.keepFor(age), RetentionOracle.leadingTo(age, now)));
        case 2 -> new Rule(Retention.keepLast(n), RetentionOracle.amongGood(n));
        case 3 -> new Rule(Retention.hourly(n), RetentionOracle.newestOf(13, n));
        case 4 -> new Rule(Retention.daily(n), RetentionOracle.newestOf(10, n));
        case 5 -> new Rule(Retention.weekly(n), RetentionOracle.newestOf(0, n));
        case 6 -> new Rule(Retention.monthly(n), RetentionOracle.newestOf(7, n));
        default -> new Rule(Retention.yearly(n), RetentionOracle.newestOf(4, n));
      };
    }

    private History seen(Instant now) {
      return Made.history(now, history).holds(holds).unreadable(unreadable);
    }

    private void prune(Instant now) {
      Rule rule = chance(0.6) ? rule(now).and(rule(now)) : rule(now);
      Duration minimumAge = Duration.ofDays(random.nextInt(4));
      RetentionRules rules = RetentionRules.of(rule.policy()).minimumAge(minimumAge);
      History before = seen(now);
      String what = "seed %d at %s: %s".formatted(seed, now, rules.describe());
      PrunePreview preview = Retaining.decide(before, rules);
      RetentionOracle oracle = new RetentionOracle(before, minimumAge);
      assertEquals(oracle.kept(rule.sentence()), keys(preview.kept()), what);
      assertEquals(oracle.unsound(), blocked(preview), what);
      nobodyElseMattersToIt(now, before, rules, preview, what);
      aFullStoreLosesNoMore(before, rules, now, what);
      note(preview);
      release(preview);
      PrunePreview again = Retaining.decide(seen(now), rules);
      assertEquals(Set.of(), keys(again.released()), what);
      assertEquals(keys(preview.kept()), keys(again.kept()), what);
    }

    private static Set<String> keys(List<PrunePreview.Row> rows) {
      return rows.stream()
          .map(r -> r.log() + "/" + r.sequence() + " " + r.source())
          .collect(Collectors.toSet());
    }

    /** The subject of a finding, in the oracle's words. */
    private static Set<String> blocked(PrunePreview preview) {
      return preview.blockers().stream()
          .map(
              f -> {
                String s = f.subject();
                String place = s.substring(s.indexOf('(') + 1, s.indexOf(')'));
                return place + " " + s.substring(0, s.indexOf(' '));
              })
          .collect(Collectors.toSet());
    }

    /** Whoever adds snapshots of his own, pinned or not, releases nobody else's. */
    private void nobodyElseMattersToIt(
        Instant now, History before, RetentionRules rules, PrunePreview preview, String what) {
      List<Made> more = new ArrayList<>(history);
      boolean isPinned = chance(0.5);
      for (int i = 1; i <= 40; i++) {
        Made victim = history.get(random.nextInt(history.size()));
        String id = chance(0.4) ? victim.id() : chance(0.1) ? "lost" : "evil-" + i;
        Instant time = now.minusSeconds(random.nextInt(86_400 * 900) - 3600L);
        String[] parents = chance(0.3) ? new String[] {victim.id()} : new String[0];
        Made forged = Made.empty("mallory", i, id);
        for (String source : SOURCES) {
          Component of = source.equals("etc") ? Component.CONFIG : Component.DATABASE;
          forged = forged.with(source, of, time, outcome(), parents);
        }
        forged = chance(0.2) ? forged.verified(Verdict.INTACT, true) : forged;
        more.add(isPinned ? forged : forged.unpinned());
      }
      History attacked = Made.history(now, more).holds(holds).unreadable(unreadable);
      assertOursStay(preview, Retaining.decide(attacked, rules), what);
      long bytes = 10L * (1 + random.nextInt(300));
      assertOursStay(
          Retaining.of(before, rules).keepLast(2, bytes),
          Retaining.of(attacked, rules).keepLast(2, bytes),
          what);
      met.add("attacked");
    }

    private static void assertOursStay(PrunePreview before, PrunePreview attacked, String what) {
      Set<String> more = keys(attacked.released());
      more.removeIf(key -> key.startsWith("mallory"));
      more.removeAll(keys(before.released()));
      assertEquals(Set.of(), more, what);
    }

    private void aFullStoreLosesNoMore(
        History before, RetentionRules rules, Instant now, String what) {
      Retaining full = Retaining.of(before, rules);
      Set<String> all = keys(full.keepLast(2, Long.MAX_VALUE).released());
      PrunePreview some = full.keepLast(2, 10L * (1 + random.nextInt(200)));
      assertTrue(all.containsAll(keys(some.released())), what);
      RetentionOracle oracle = new RetentionOracle(before, rules.minimumAge());
      Set<String> expected = oracle.kept(RetentionOracle.amongGood(2));
      assertTrue(keys(some.kept()).containsAll(expected), what);
      assertEquals(expected, keys(full.keepLast(2, Long.MAX_VALUE).kept()), what);
      assertWhole(before, oracle, keys(some.kept()), what);
      if (some.released().size() < all.size()) {
        met.add("full store");
      }
    }

    /** Nothing that is kept lacks what it needs. */
    private void assertWhole(
        History before, RetentionOracle oracle, Set<String> kept, String what) {
      List<RetentionOracle.Unit> units =
          before.snapshots().stream()
              .flatMap(s -> s.captures().stream().map(c -> new RetentionOracle.Unit(s, c)))
              .toList();
      for (RetentionOracle.Unit child : units) {
        if (kept.contains(child.key()) && child.capture().isIncremental()) {
          units.stream()
              .filter(u -> oracle.needs(child, u))
              .forEach(u -> assertTrue(kept.contains(u.key()), () -> what + child + u));
        }
      }
    }

    private void note(PrunePreview preview) {
      if (!preview.released().isEmpty()) {
        met.add("released");
      }
      if (!preview.blockers().isEmpty()) {
        met.add("blocked");
      }
      for (PrunePreview.Row row : preview.kept()) {
        for (String reason : row.reasons()) {
          note(reason);
        }
      }
    }

    private void note(String reason) {
      List<List<String>> words =
          List.of(
              List.of("held for", "held"),
              List.of("needed by", "needed"),
              List.of("whose parent is not known", "unknown parent"),
              List.of("cannot be read", "unreadable"),
              List.of("another verified", "verified"),
              List.of("nobody found damaged", "damaged"),
              List.of("no pinned key", "unpinned"),
              List.of("all of its component", "whole component"));
      words.stream().filter(w -> reason.contains(w.get(0))).forEach(w -> met.add(w.get(1)));
    }

    private void release(PrunePreview preview) {
      Set<CaptureHeader> released =
          preview.released().stream().map(PrunePreview.Row::capture).collect(Collectors.toSet());
      history.replaceAll(m -> m.without(List.copyOf(released)));
      history.removeIf(m -> m.captures().isEmpty());
    }
  }
}
