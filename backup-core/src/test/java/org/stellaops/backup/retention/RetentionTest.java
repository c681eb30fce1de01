package org.stellaops.backup.retention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TimeZone;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.RetentionPolicy;

class RetentionTest {
  private static final String NOON = "2026-03-01T12:00:00Z";

  /** Times of what is kept, newest first; an outcome may stand behind a time. */
  private static List<String> kept(RetentionPolicy policy, String now, String... captures) {
    List<CaptureHeader> headers = new ArrayList<>();
    for (String capture : captures) {
      String[] words = capture.split(" ");
      Outcome outcome = words.length > 1 ? Outcome.valueOf(words[1]) : Outcome.GOOD;
      headers.add(
          Made.of("host-a", headers.size() + 1, words[0]).outcome(outcome).captures().get(0));
    }
    headers.sort(Comparator.comparing(CaptureHeader::time).reversed());
    var decision = policy.decide(headers, Instant.parse(now));
    return headers.stream()
        .filter(c -> decision.keeps(c.snapshot()))
        .map(c -> c.time().toString())
        .toList();
  }

  @ParameterizedTest
  @CsvSource({
    "2026-01-30T12:00:00Z, 1",
    "2026-01-30T11:59:59.999999999Z, 0",
    "2026-01-30T12:00:00.000000001Z, 1",
    "2026-03-01T13:00:00Z, 1"
  })
  void thirty_days_are_kept_to_the_instant(String time, int kept) {
    assertEquals(kept, kept(Retention.keepFor(Duration.ofDays(30)), NOON, time).size());
  }

  @Test
  void a_leap_day_is_a_day() {
    RetentionPolicy twoDays = Retention.keepFor(Duration.ofDays(2));
    assertEquals(
        List.of("2028-02-28T12:00:00Z"),
        kept(twoDays, "2028-03-01T12:00:00Z", "2028-02-28T12:00:00Z", "2028-02-27T12:00:00Z"));
    assertEquals(
        List.of("2028-02-29T23:00:00Z", "2028-02-28T23:00:00Z"),
        kept(
            Retention.daily(2),
            "2028-03-01T12:00:00Z",
            "2028-02-29T01:00:00Z",
            "2028-02-29T23:00:00Z",
            "2028-02-28T23:00:00Z",
            "2028-02-27T23:00:00Z"));
  }

  @Test
  void age_is_kept_whatever_the_outcome() {
    assertEquals(
        List.of("2026-03-01T10:00:00Z", "2026-03-01T09:00:00Z"),
        kept(
            Retention.keepFor(Duration.ofHours(3)),
            NOON,
            "2026-03-01T10:00:00Z PARTIAL",
            "2026-03-01T09:00:00Z DEGRADED",
            "2026-03-01T08:00:00Z GOOD"));
  }

  @Test
  void a_window_of_recovery_is_reached_from_the_good_one_before_it() {
    assertEquals(
        List.of("2026-02-25T00:00:00Z", "2026-02-10T00:00:00Z"),
        kept(
            Retention.recoverableFor(Duration.ofDays(14)),
            NOON,
            "2026-02-25T00:00:00Z",
            "2026-02-15T00:00:00Z DEGRADED",
            "2026-02-10T00:00:00Z",
            "2026-02-09T00:00:00Z"));
  }

  @Test
  void a_base_backup_leads_on_from_its_end_only() {
    Instant now = Instant.parse(NOON);
    CaptureHeader shorter = Made.of("x", 1, "2026-02-14T00:00:00Z").captures().get(0);
    CaptureHeader longer =
        endingAt(Made.of("x", 2, "2026-02-15T00:00:00Z").captures().get(0), now.minus(days(14)));
    var decision =
        Retention.recoverableFor(days(14).plusSeconds(1)).decide(List.of(longer, shorter), now);
    assertTrue(decision.keeps(shorter.snapshot()), "its last second is not in reach of the other");
    decision = Retention.recoverableFor(days(14)).decide(List.of(longer, shorter), now);
    assertFalse(decision.keeps(shorter.snapshot()));
    assertTrue(decision.keeps(longer.snapshot()));
  }

  private static Duration days(int days) {
    return Duration.ofDays(days);
  }

  private static CaptureHeader endingAt(CaptureHeader c, Instant end) {
    Position place = new Position("system", 1, 10, "0/A");
    return new CaptureHeader(
        c.snapshot(),
        c.source(),
        c.component(),
        c.kind(),
        c.time(),
        c.sequence(),
        c.outcome(),
        c.parents(),
        Optional.of(new CaptureSpan(place, place, end)),
        c.plainBytes(),
        c.storedBytes(),
        c.newBytes());
  }

  @Test
  void only_good_ones_are_counted() {
    assertEquals(
        List.of("2026-02-25T00:00:00Z", "2026-02-24T00:00:00Z", "2026-02-22T00:00:00Z"),
        kept(
            Retention.keepLast(3),
            NOON,
            "2026-02-28T00:00:00Z DEGRADED",
            "2026-02-27T00:00:00Z PARTIAL",
            "2026-02-26T00:00:00Z FAILED",
            "2026-02-25T00:00:00Z",
            "2026-02-24T00:00:00Z",
            "2026-02-23T00:00:00Z DEGRADED",
            "2026-02-22T00:00:00Z",
            "2026-02-21T00:00:00Z"));
  }

  @Test
  void the_newest_good_one_stands_for_its_day_and_days_without_one_do_not_count() {
    assertEquals(
        List.of("2026-02-28T01:00:00Z", "2026-02-20T23:59:59.999Z", "2026-01-01T00:00:00Z"),
        kept(
            Retention.daily(3),
            NOON,
            "2026-02-28T23:00:00Z DEGRADED",
            "2026-02-28T01:00:00Z",
            "2026-02-28T00:00:00Z",
            "2026-02-25T00:00:00Z PARTIAL",
            "2026-02-20T23:59:59.999Z",
            "2026-02-20T00:00:00Z",
            "2026-01-01T00:00:00Z",
            "2025-12-31T23:59:59Z"));
  }

  @Test
  void weeks_begin_on_monday_also_across_the_new_year() {
    assertEquals(
        List.of("2027-01-04T00:00:00Z", "2027-01-03T23:59:59Z", "2026-12-27T23:00:00Z"),
        kept(
            Retention.weekly(3),
            "2027-01-05T00:00:00Z",
            "2027-01-04T00:00:00Z",
            "2027-01-03T23:59:59Z",
            "2026-12-28T00:00:00Z",
            "2026-12-27T23:00:00Z",
            "2026-12-20T23:00:00Z"));
  }

  @Test
  void hours_months_and_years_are_those_of_utc() {
    String[] captures = {
      "2026-01-01T00:00:00Z", "2025-12-31T23:30:00Z", "2025-12-31T23:00:00Z", "2025-12-01T00:00:00Z"
    };
    assertEquals(
        List.of("2026-01-01T00:00:00Z", "2025-12-31T23:30:00Z"),
        kept(Retention.hourly(2), NOON, captures));
    assertEquals(
        List.of("2026-01-01T00:00:00Z", "2025-12-31T23:30:00Z"),
        kept(Retention.monthly(2), NOON, captures));
    assertEquals(List.of("2026-01-01T00:00:00Z"), kept(Retention.yearly(1), NOON, captures));
    assertEquals(
        List.of("2026-01-01T00:00:00Z", "2025-12-31T23:30:00Z"),
        kept(Retention.yearly(9), NOON, captures));
  }

  @ParameterizedTest
  @CsvSource({"Europe/Sofia", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"})
  void neither_the_zone_of_the_machine_nor_its_summer_time_matters(String zone) {
    String[] captures =
        Stream.iterate(Instant.parse("2026-03-27T00:30:00Z"), t -> t.plus(Duration.ofMinutes(30)))
            .limit(48 * 4)
            .map(Instant::toString)
            .toArray(String[]::new);
    RetentionPolicy policy = Retention.hourly(30).and(Retention.daily(4)).and(Retention.weekly(2));
    List<String> expected = kept(policy, NOON, captures);
    TimeZone before = TimeZone.getDefault();
    try {
      TimeZone.setDefault(TimeZone.getTimeZone(zone));
      assertEquals(expected, kept(policy, NOON, captures));
    } finally {
      TimeZone.setDefault(before);
    }
  }

  @Test
  void together_they_keep_what_either_keeps_for_both_reasons() {
    RetentionPolicy both = Retention.daily(1).and(Retention.monthly(2));
    List<CaptureHeader> captures =
        List.of(
            Made.of("host-a", 2, "2026-02-28T00:00:00Z").captures().get(0),
            Made.of("host-a", 1, "2026-01-28T00:00:00Z").captures().get(0));
    var decision = both.decide(captures, Instant.parse(NOON));
    assertEquals(
        List.of("newest good of its day, 1 of 1", "newest good of its month, 1 of 2"),
        decision.kept().get(captures.get(0).snapshot()));
    assertEquals(
        List.of("newest good of its month, 2 of 2"),
        decision.kept().get(captures.get(1).snapshot()));
    assertEquals(
        "the newest good of each of 1 days and the newest good of each of 2 months",
        both.describe());
  }

  static Stream<Executable> nonsense() {
    return Stream.of(
        () -> Retention.keepFor(Duration.ZERO),
        () -> Retention.keepFor(Duration.ofDays(-1)),
        () -> Retention.keepFor(Duration.ofSeconds(Long.MAX_VALUE)),
        () -> Retention.recoverableFor(Duration.ZERO),
        () -> Retention.keepLast(0),
        () -> Retention.hourly(-1),
        () -> Retention.daily(0),
        () -> Retention.weekly(0),
        () -> Retention.monthly(0),
        () -> Retention.yearly(0),
        () -> RetentionRules.runbook().minimumAge(Duration.ofNanos(-1)));
  }

  @ParameterizedTest
  @MethodSource("nonsense")
  void nonsense_is_refused_with_what_was_found(Executable nonsense) {
    String message = assertThrows(IllegalArgumentException.class, nonsense).getMessage();
    assertTrue(message.contains("must") && message.contains("found"), message);
  }

  @Test
  void a_source_has_its_own_rule_or_its_components_or_that_of_all_others() {
    RetentionRules rules =
        RetentionRules.runbook().source(SourceName.of("audit"), Retention.yearly(7));
    assertEquals(
        """
        source audit: keep the newest good of each of 7 years
        component attestation-keys: keep at most 366 days old
        component config: keep at most 90 days old
        component database: keep the last 30 days
        component evidence: keep at most 90 days old
        component secrets: keep at most 30 days old
        others: keep everything
        nothing younger than 1 days is released
        """,
        rules.describe());
    assertEquals(Retention.yearly(7), rules.policy(SourceName.of("audit"), Component.DATABASE));
    assertEquals(
        Retention.keepFor(Duration.ofDays(90)),
        rules.policy(SourceName.of("locker"), Component.EVIDENCE));
    assertEquals(Retention.everything(), rules.policy(SourceName.of("seeds"), Component.SEEDS));
    assertEquals(
        "the newest good of each of 30 days and the newest good of each of 12 months",
        RetentionRules.issuerDirectory().policy(Made.DB, Component.DATABASE).describe());
  }
}
