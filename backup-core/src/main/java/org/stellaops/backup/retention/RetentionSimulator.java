package org.stellaops.backup.retention;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.RetentionPolicy;

/**
 * Rules, tried on years of made-up history: captures on a schedule, some of which fail or never
 * happen, and a prune each day. The same input gives the same forecast.
 */
public final class RetentionSimulator {
  private static final Duration A_DAY = Duration.ofDays(1);
  private static final int MOST_YEARS = 100;

  private final RetentionRules rules;
  private final List<CaptureSchedule> schedules;
  private final Instant start;
  private final long seed;

  private RetentionSimulator(
      RetentionRules rules, List<CaptureSchedule> schedules, Instant start, long seed) {
    this.rules = rules;
    this.schedules = List.copyOf(schedules);
    this.start = start;
    this.seed = seed;
  }

  /** Nothing is captured yet; prunes happen at the time of day of the start. */
  public static RetentionSimulator of(RetentionRules rules, Instant start) {
    return new RetentionSimulator(rules, List.of(), start, 0);
  }

  /** The same with one more source. */
  public RetentionSimulator capture(CaptureSchedule schedule) {
    if (schedules.stream().anyMatch(s -> s.source().equals(schedule.source()))) {
      throw new IllegalArgumentException("there is a schedule already of " + schedule.source());
    }
    List<CaptureSchedule> more = new ArrayList<>(schedules);
    more.add(schedule);
    return new RetentionSimulator(rules, more, start, seed);
  }

  /** The same with other luck. */
  public RetentionSimulator seed(long number) {
    return new RetentionSimulator(rules, schedules, start, number);
  }

  /**
   * Lets years pass.
   *
   * @throws BackupException.Refused POLICY_TOO_SHORT with the first date on which a policy, were it
   *     not for the safety floor, would leave no good capture of a source that has one
   */
  public RetentionForecast run(int years) throws BackupException {
    if (years < 1 || years > MOST_YEARS || schedules.isEmpty()) {
      throw new IllegalArgumentException(
          "1 to %d years of at least one source, found %d years of %d"
              .formatted(MOST_YEARS, years, schedules.size()));
    }
    SyntheticCaptures coming = new SyntheticCaptures(schedules, start, seed);
    List<SnapshotSummary> history = new ArrayList<>();
    List<RetentionForecast.Step> steps = new ArrayList<>();
    ZonedDateTime begin = start.atZone(ZoneOffset.UTC);
    Instant end = begin.plusYears(years).toInstant();
    int month = 1;
    for (Instant now = start.plus(A_DAY); !now.isAfter(end); now = now.plus(A_DAY)) {
      history.addAll(coming.until(now));
      requireSomethingGood(history, now);
      prune(history, now);
      if (!begin.plusMonths(month).toInstant().isAfter(now)) {
        month++;
        addSteps(history, now, steps);
      }
    }
    return new RetentionForecast(steps);
  }

  private void requireSomethingGood(List<SnapshotSummary> history, Instant now)
      throws BackupException {
    for (CaptureSchedule schedule : schedules) {
      List<CaptureHeader> captures = new ArrayList<>(captures(history, schedule.source()));
      Collections.reverse(captures);
      RetentionPolicy policy = rules.policy(schedule.source(), schedule.component());
      Map<?, ?> kept = policy.decide(captures, now).kept();
      List<CaptureHeader> good = captures.stream().filter(RetentionSimulator::isGood).toList();
      if (!good.isEmpty() && good.stream().noneMatch(c -> kept.containsKey(c.snapshot()))) {
        throw new BackupException.Refused(
            CoreFailure.POLICY_TOO_SHORT,
            "'%s' would leave no good capture of %s on %s; the newest good one was taken at %s"
                .formatted(policy.describe(), schedule.source(), now, good.get(0).time()));
      }
    }
  }

  private void prune(List<SnapshotSummary> history, Instant now) {
    Set<Long> released = new HashSet<>();
    for (PrunePreview.Row row : Retaining.decide(History.of(history, now), rules).released()) {
      released.add(row.sequence());
    }
    history.removeIf(s -> released.contains(s.sequence()));
  }

  private void addSteps(
      List<SnapshotSummary> history, Instant now, List<RetentionForecast.Step> steps) {
    for (CaptureSchedule schedule : schedules) {
      List<CaptureHeader> all = captures(history, schedule.source());
      List<Instant> good =
          all.stream().filter(RetentionSimulator::isGood).map(CaptureHeader::time).toList();
      steps.add(
          new RetentionForecast.Step(
              now,
              schedule.source(),
              all.size(),
              good.size(),
              all.stream().mapToLong(CaptureHeader::newBytes).sum(),
              good.stream().findFirst(),
              good.isEmpty() ? Optional.empty() : Optional.of(good.get(good.size() - 1))));
    }
  }

  /** Oldest first. */
  private static List<CaptureHeader> captures(List<SnapshotSummary> history, SourceName source) {
    return history.stream()
        .flatMap(s -> s.captures().stream())
        .filter(c -> c.source().equals(source))
        .toList();
  }

  private static boolean isGood(CaptureHeader capture) {
    return capture.outcome() == Outcome.GOOD;
  }
}
