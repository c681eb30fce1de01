package org.stellaops.backup.retention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.stellaops.backup.retention.Made.history;
import static org.stellaops.backup.retention.Made.released;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.stellaops.backup.model.BackupException.Refused;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.retention.PrunePreview.Row;

class RetainingTest {
  private static final String NOW = "2026-06-01T00:00:00Z";
  private static final RetentionRules LAST = RetentionRules.of(Retention.keepLast(1));

  private static final Made FIRST = Made.of("host-a", 1, "2026-03-01T00:00:00Z");
  private static final Made SECOND = Made.of("host-a", 2, "2026-04-01T00:00:00Z");
  private static final Made THIRD = Made.of("host-a", 3, "2026-05-01T00:00:00Z");

  private static SnapshotId id(Made made) {
    return new SnapshotId(made.id());
  }

  private static PrunePreview decide(History history) {
    return Retaining.decide(history, LAST);
  }

  private static List<String> reasons(PrunePreview preview, long sequence) {
    return preview.rows().stream()
        .filter(r -> r.sequence() == sequence)
        .map(Row::reasons)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void every_capture_is_kept_or_released_with_its_reasons() {
    PrunePreview preview = decide(history(NOW, FIRST, SECOND));
    assertEquals(List.of("host-a/1"), released(preview));
    assertEquals(
        List.of(
            "good one 1 of 1",
            "floor: newest good of its source",
            "floor: newest complete of its source",
            "floor: newest good of its source that nobody found damaged",
            "floor: newest in which all of its component is good"),
        reasons(preview, 2));
    assertEquals(List.of("kept by no rule: the newest 1 good"), reasons(preview, 1));
    assertEquals(10, preview.releasedBytes());
    assertEquals(100, preview.released().get(0).storedBytes());
    assertTrue(preview.isPossible());
    assertTrue(
        preview
            .describe()
            .contains("release  2026-03-01T00:00:00Z  GOOD      host-a/1  name-1  database/db"),
        preview.describe());
  }

  @Test
  void the_newest_good_one_stays_however_old_and_failed_ones_behind_it_are_no_reason() {
    RetentionRules aDay = RetentionRules.of(Retention.keepFor(Duration.ofDays(1)));
    History history =
        history(NOW, FIRST, SECOND.outcome(Outcome.PARTIAL), THIRD.outcome(Outcome.DEGRADED));
    PrunePreview preview = Retaining.decide(history, aDay);
    assertEquals(List.of("host-a/2"), released(preview));
    assertEquals(List.of("floor: newest complete of its source"), reasons(preview, 3));
  }

  @Test
  void a_source_that_was_never_good_keeps_its_best() {
    Made partial = THIRD.outcome(Outcome.PARTIAL);
    assertEquals(
        List.of("host-a/3", "host-a/1"),
        released(
            decide(
                history(
                    NOW,
                    FIRST.outcome(Outcome.DEGRADED),
                    SECOND.outcome(Outcome.DEGRADED),
                    partial))));
    assertEquals(List.of(), released(decide(history(NOW, partial))));
  }

  @Test
  void the_newest_that_another_verified_stays_and_the_writers_own_word_is_not_enough() {
    Made byAnother = FIRST.verified(Verdict.INTACT, true);
    Made byItself = SECOND.verified(Verdict.INTACT, false);
    PrunePreview preview = decide(history(NOW, byAnother, byItself, THIRD));
    assertEquals(List.of("host-a/2"), released(preview));
    assertEquals(
        List.of("floor: newest good of its source that another verified"), reasons(preview, 1));
  }

  @Test
  void damage_that_somebody_reports_keeps_more_and_releases_nothing() {
    PrunePreview preview =
        decide(history(NOW, FIRST, SECOND, THIRD.verified(Verdict.DAMAGED, true)));
    assertEquals(List.of("host-a/1"), released(preview));
    assertEquals(
        List.of("host-a/3", "host-a/2"),
        preview.kept().stream().map(r -> r.log() + "/" + r.sequence()).toList());
  }

  @Test
  void a_component_keeps_the_newest_snapshot_that_has_all_of_it() {
    Made both =
        FIRST.with("db2", Component.DATABASE, Instant.parse("2026-03-01T00:00:00Z"), Outcome.GOOD);
    Made one = SECOND.missing(Component.DATABASE);
    Made other =
        Made.empty("host-a", 3, "other")
            .with("db2", Component.DATABASE, Instant.parse("2026-05-01T00:00:00Z"), Outcome.GOOD)
            .missing(Component.DATABASE);
    assertEquals(List.of(), released(decide(history(NOW, both, one, other))));
    Made whole =
        THIRD.with("db2", Component.DATABASE, Instant.parse("2026-05-01T00:00:00Z"), Outcome.GOOD);
    assertEquals(
        List.of("host-a/2", "host-a/1", "host-a/1"),
        released(decide(history(NOW, both, one, whole))));
  }

  @Test
  void sources_and_writers_are_decided_upon_apart() {
    Made config =
        Made.empty("host-a", 2, "config")
            .with("etc", Component.CONFIG, Instant.parse("2026-04-01T00:00:00Z"), Outcome.GOOD);
    Made elsewhere = Made.of("host-b", 1, "2026-05-30T00:00:00Z");
    assertEquals(List.of(), released(decide(history(NOW, FIRST, config, elsewhere))));
  }

  @Test
  void what_nobody_pinned_signed_is_a_reason_for_nothing_and_goes_by_name_only() throws Exception {
    Made stranger = Made.of("mallory", 9, "2026-05-20T00:00:00Z").unpinned();
    History history = history(NOW, FIRST, stranger);
    PrunePreview preview = decide(history);
    assertEquals(List.of(), released(preview));
    assertEquals(List.of("no pinned key signed it: released by name only"), reasons(preview, 9));
    assertEquals(
        List.of("mallory/9"),
        released(Retaining.of(history, LAST).release(List.of(id(stranger)), "not ours")));
  }

  @Test
  void without_pins_all_count() {
    History history = history(NOW, FIRST.unpinned(), SECOND.unpinned()).withoutPins();
    assertEquals(List.of("host-a/1"), released(decide(history)));
  }

  @Test
  void a_hold_keeps_until_its_end_and_survives_every_way_of_releasing() throws Exception {
    Instant now = Instant.parse(NOW);
    History history = history(NOW, FIRST, SECOND);
    Hold hold = Hold.forever(id(FIRST), "audit 7", "anna");
    Retaining held = Retaining.of(history.holds(List.of(hold)), LAST);
    assertEquals(List.of(), released(held.decide()));
    assertEquals(List.of(), released(held.olderThan(Duration.ofDays(1))));
    assertEquals(List.of(), released(held.keepLast(1, Long.MAX_VALUE)));
    Retaining allowed = held.allowLastGood(id(FIRST), "worthless");
    Refused refused =
        assertThrows(Refused.class, () -> allowed.release(List.of(id(FIRST)), "space"));
    assertEquals(CoreFailure.SAFETY_FLOOR, refused.code());
    assertTrue(refused.getMessage().contains("held for anna: audit 7"), refused.getMessage());
    Hold over = new Hold(id(FIRST), "audit 7", Optional.of(now), "anna");
    assertEquals(List.of("host-a/1"), released(decide(history.holds(List.of(over)))));
    Hold ending = new Hold(id(FIRST), "audit 7", Optional.of(now.plusNanos(1)), "anna");
    assertEquals(List.of(), released(decide(history.holds(List.of(ending)))));
    assertThrows(IllegalArgumentException.class, () -> Hold.forever(id(FIRST), " ", "anna"));
    assertThrows(IllegalArgumentException.class, () -> Hold.forever(id(FIRST), "audit 7", ""));
  }

  @Test
  void nothing_younger_than_the_minimum_age_goes() {
    Made old = Made.of("host-a", 1, "2026-05-31T00:00:00Z");
    Made young = Made.of("host-a", 2, "2026-05-31T00:00:00.001Z");
    Made newest = Made.of("host-a", 3, "2026-05-31T12:00:00Z");
    assertEquals(List.of("host-a/1"), released(decide(history(NOW, old, young, newest))));
    assertEquals(
        List.of("host-a/2", "host-a/1"),
        released(
            Retaining.decide(history(NOW, old, young, newest), LAST.minimumAge(Duration.ZERO))));
  }

  @Test
  void a_clock_that_was_set_back_makes_nothing_look_old() {
    Made before = Made.of("host-a", 1, "2026-05-31T12:00:00Z");
    Made setBack =
        Made.empty("host-a", 2, "back")
            .with("etc", Component.CONFIG, Instant.parse("2026-05-28T00:00:00Z"), Outcome.GOOD);
    Made next =
        Made.empty("host-a", 3, "next")
            .with("etc", Component.CONFIG, Instant.parse("2026-05-28T01:00:00Z"), Outcome.GOOD);
    assertEquals(List.of(), released(decide(history(NOW, before, setBack, next))));
  }

  @Test
  void what_is_kept_keeps_what_it_builds_on() {
    Made increment = SECOND.needing(FIRST.id());
    PrunePreview preview = decide(history(NOW, FIRST, increment, THIRD.needing(increment.id())));
    assertEquals(List.of(), released(preview));
    assertEquals(List.of("needed by db of host-a-2 (host-a/2)"), reasons(preview, 1));
    assertEquals(
        List.of("host-a/2", "host-a/1"), released(decide(history(NOW, FIRST, increment, THIRD))));
  }

  @Test
  void a_parent_that_is_not_there_could_be_anything_earlier() {
    PrunePreview preview = decide(history(NOW, FIRST, SECOND, THIRD.needing("lost")));
    assertEquals(List.of(), released(preview));
    Made elsewhere = Made.of("host-b", 1, "2026-05-02T00:00:00Z").named("lost");
    assertEquals(
        List.of(), released(decide(history(NOW, FIRST, SECOND, THIRD.needing("lost"), elsewhere))));
    Made itself = THIRD.needing(THIRD.id());
    assertEquals(List.of(), released(decide(history(NOW, FIRST, SECOND, itself))));
  }

  @Test
  void a_snapshot_that_cannot_be_read_may_need_all_before_it() {
    History history = history(NOW, FIRST, SECOND, THIRD);
    List<Unreadable> second = List.of(new Unreadable("host-a", 2, "of a newer format"));
    assertEquals(List.of("host-a/2"), released(decide(history.unreadable(second))));
    List<Unreadable> elsewhere = List.of(new Unreadable("host-b", 9, "of a newer format"));
    assertEquals(List.of("host-a/2", "host-a/1"), released(decide(history.unreadable(elsewhere))));
    List<Unreadable> anywhere = List.of(new Unreadable("host-a", Long.MAX_VALUE, "no place"));
    assertEquals(List.of(), released(decide(history.unreadable(anywhere))));
  }

  private static List<String> blocked(History history) {
    return decide(history).blockers().stream().map(f -> f.subject()).toList();
  }

  @Test
  void a_time_against_the_order_of_commits_blocks_until_it_is_corrected() {
    Made late = Made.of("host-a", 2, "2026-04-01T00:00:00Z");
    Made behind = Made.of("host-a", 3, "2026-03-31T23:44:59Z");
    History history = history(NOW, FIRST, late, behind);
    assertEquals(List.of("db of host-a-3 (host-a/3)"), blocked(history));
    Refused refused = assertThrows(Refused.class, () -> decide(history).requirePossible());
    assertEquals(CoreFailure.BLOCKED, refused.code());
    assertEquals(CoreFailure.CLOCK_UNSOUND, refused.blockers().get(0).code());
    Instant right = Instant.parse("2026-04-02T00:00:00Z");
    History corrected = history.retimed(List.of(new Retimed("host-a", 3, right)));
    assertEquals(List.of(), blocked(corrected));
    assertEquals(right, decide(corrected).rows().get(0).capture().time());
    Made justBehind = Made.of("host-a", 3, "2026-03-31T23:45:00Z");
    assertEquals(List.of(), blocked(history(NOW, FIRST, late, justBehind)));
  }

  @Test
  void runs_that_overlap_are_no_clock_that_jumped_unless_a_week_lies_between() {
    Made hourly = Made.of("host-a", 1, "2026-05-01T00:00:00Z");
    Made long6 =
        Made.empty("host-a", 2, "long")
            .with(
                "locker", Component.EVIDENCE, Instant.parse("2026-04-25T00:00:00Z"), Outcome.GOOD);
    Made long8 =
        Made.empty("host-a", 2, "long")
            .with(
                "locker", Component.EVIDENCE, Instant.parse("2026-04-23T00:00:00Z"), Outcome.GOOD);
    assertEquals(List.of(), blocked(history(NOW, hourly, long6)));
    assertEquals(List.of("locker of long (host-a/2)"), blocked(history(NOW, hourly, long8)));
  }

  @Test
  void a_time_to_come_blocks_but_not_a_strangers() {
    Made ahead = Made.of("host-a", 4, "2026-06-01T00:15:00.001Z");
    assertEquals(List.of("db of host-a-4 (host-a/4)"), blocked(history(NOW, THIRD, ahead)));
    assertEquals(List.of(), blocked(history(NOW, THIRD, ahead.unpinned())));
    Made inTime = Made.of("host-a", 4, "2026-06-01T00:15:00Z");
    assertEquals(List.of(), blocked(history(NOW, THIRD, inTime)));
    History behindStore = history(NOW, inTime).storeTime(Instant.parse("2026-05-31T23:59:59Z"));
    assertEquals(List.of("db of host-a-4 (host-a/4)"), blocked(behindStore));
  }

  @Test
  void a_clock_that_is_not_the_stores_deletes_nothing() {
    History history = history(NOW, FIRST);
    assertEquals(
        List.of("clock"), blocked(history.storeTime(Instant.parse("2026-05-31T23:44:59Z"))));
    assertEquals(
        List.of("clock"), blocked(history.storeTime(Instant.parse("2026-06-01T00:15:01Z"))));
    assertEquals(List.of(), blocked(history.storeTime(Instant.parse("2026-05-31T23:45:00Z"))));
  }

  @Test
  void what_is_older_than_asked_for_goes_whatever_the_rules_keep_but_not_the_floor() {
    Retaining all = Retaining.of(history(NOW, FIRST, SECOND, THIRD), RetentionRules.runbook());
    assertEquals(List.of("host-a/2", "host-a/1"), released(all.olderThan(Duration.ofDays(14))));
    assertEquals(List.of("host-a/1"), released(all.olderThan(Duration.ofDays(61))));
  }

  @Test
  void a_full_store_loses_the_oldest_until_enough_is_released() {
    Retaining full = Retaining.of(history(NOW, FIRST, SECOND, THIRD), RetentionRules.runbook());
    assertEquals(List.of("host-a/1"), released(full.keepLast(1, 10)));
    assertEquals(List.of("host-a/2", "host-a/1"), released(full.keepLast(1, 11)));
    assertEquals(List.of("host-a/2", "host-a/1"), released(full.keepLast(1, Long.MAX_VALUE)));
    assertEquals(List.of("enough is released without it"), reasons(full.keepLast(1, 10), 2));
    assertThrows(IllegalArgumentException.class, () -> full.keepLast(0, 10));
    assertThrows(IllegalArgumentException.class, () -> full.keepLast(1, 0));
  }

  @Test
  void three_good_ones_stay_when_the_three_newest_failed() {
    Made[] all = new Made[8];
    for (int i = 0; i < all.length; i++) {
      Made made = Made.of("host-a", i + 1, "2026-05-0%dT00:00:00Z".formatted(i + 1));
      all[i] = i < 5 ? made : made.outcome(Outcome.PARTIAL);
    }
    Retaining full = Retaining.of(history(NOW, all), RetentionRules.runbook());
    assertEquals(
        List.of("host-a/8", "host-a/7", "host-a/6", "host-a/2", "host-a/1"),
        released(full.keepLast(3, Long.MAX_VALUE)));
  }

  @Test
  void a_full_store_loses_no_base_without_its_increments() {
    Made increment = SECOND.needing(FIRST.id());
    Retaining full = Retaining.of(history(NOW, FIRST, increment, THIRD), RetentionRules.runbook());
    assertEquals(List.of("host-a/2", "host-a/1"), released(full.keepLast(1, 1)));
    Made orphan = SECOND.needing("lost");
    Retaining broken = Retaining.of(history(NOW, FIRST, orphan, THIRD), RetentionRules.runbook());
    assertEquals(List.of("host-a/2", "host-a/1"), released(broken.keepLast(1, 1)));
  }

  @Test
  void the_last_good_one_goes_by_name_and_with_a_reason_only() throws Exception {
    Retaining retaining = Retaining.of(history(NOW, FIRST, SECOND), RetentionRules.runbook());
    Refused refused =
        assertThrows(Refused.class, () -> retaining.release(List.of(id(SECOND)), "old host"));
    assertEquals(CoreFailure.SAFETY_FLOOR, refused.code());
    assertTrue(refused.getMessage().contains("allowLastGood"), refused.getMessage());
    assertEquals(
        List.of("db of host-a-2 (host-a/2)"),
        refused.blockers().stream().map(f -> f.subject()).toList());
    PrunePreview gone =
        retaining.allowLastGood(id(SECOND), "ransomware in it").release(List.of(id(SECOND)), "bad");
    assertEquals(List.of("host-a/2"), released(gone));
    assertEquals(
        List.of("released by name: bad", "allowed as the last good: ransomware in it"),
        reasons(gone, 2));
    assertTrue(reasons(gone, 1).contains("floor: newest good of its source"));
    assertThrows(IllegalArgumentException.class, () -> retaining.allowLastGood(id(SECOND), " "));
    assertThrows(IllegalArgumentException.class, () -> retaining.release(List.of(id(FIRST)), ""));
  }

  @Test
  void by_name_nothing_goes_that_another_needs_and_nothing_but_what_is_named() throws Exception {
    Made increment = SECOND.needing(FIRST.id());
    Retaining retaining =
        Retaining.of(history(NOW, FIRST, increment, THIRD), RetentionRules.runbook());
    Refused refused =
        assertThrows(Refused.class, () -> retaining.release(List.of(id(FIRST)), "space"));
    assertTrue(refused.getMessage().contains("needed by db of host-a-2"), refused.getMessage());
    assertEquals(
        List.of("host-a/2", "host-a/1"),
        released(retaining.release(List.of(id(FIRST), id(increment)), "space")));
  }

  @Test
  void a_name_that_two_writers_claim_or_none_releases_nothing() {
    Made claimed = Made.of("host-b", 1, "2026-03-02T00:00:00Z").named(FIRST.id());
    Retaining retaining =
        Retaining.of(history(NOW, FIRST, SECOND, claimed), RetentionRules.runbook());
    assertEquals(
        CoreFailure.AMBIGUOUS,
        assertThrows(Refused.class, () -> retaining.release(List.of(id(FIRST)), "space")).code());
    assertEquals(
        CoreFailure.AMBIGUOUS,
        assertThrows(Refused.class, () -> retaining.allowLastGood(id(FIRST), "bad")).code());
    assertEquals(
        CoreFailure.NOT_FOUND,
        assertThrows(
                Refused.class, () -> retaining.release(List.of(new SnapshotId("nowhere")), "space"))
            .code());
  }

  @Test
  void consent_is_to_exactly_what_is_released() throws Exception {
    PrunePreview shown = decide(history(NOW, FIRST, SECOND));
    shown.require(Confirmation.of(shown.digest()));
    PrunePreview later = decide(history("2026-06-02T00:00:00Z", FIRST, SECOND));
    assertEquals(shown.digest(), later.digest(), "time alone changes nothing");
    PrunePreview more = decide(history(NOW, FIRST, SECOND, THIRD));
    assertNotEquals(shown.digest(), more.digest());
    Refused stale =
        assertThrows(Refused.class, () -> more.require(Confirmation.of(shown.digest())));
    assertEquals(CoreFailure.PLAN_STALE, stale.code());
    PrunePreview otherReason =
        Retaining.decide(history(NOW, FIRST, SECOND), RetentionRules.of(Retention.daily(1)));
    assertEquals(released(shown), released(otherReason));
    assertNotEquals(shown.digest(), otherReason.digest(), "the reason is recorded");
    History ahead = history(NOW, FIRST, SECOND).storeTime(Instant.EPOCH);
    assertNotEquals(shown.digest(), decide(ahead).digest());
    assertFalse(decide(ahead).isPossible());
  }

  @ParameterizedTest
  @EnumSource(Outcome.class)
  void an_empty_history_and_a_single_capture_lose_nothing(Outcome outcome) {
    assertEquals(List.of(), decide(history(NOW)).rows());
    assertEquals(List.of(), released(decide(history(NOW, FIRST.outcome(outcome)))));
  }
}
