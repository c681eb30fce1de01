package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.postgres.LastGoodPoint.Verdict;

/** Halving finds the one commit, with no more restores than it may cost. */
class LastGoodPointTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private static List<RecordedCommit> commits(int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i -> new RecordedCommit(1, new Lsn(1000L + i * 8L), 700 + i, START.plusSeconds(i)))
        .toList();
  }

  @Test
  void whichever_of_200_commits_is_bad_it_is_found_with_at_most_8_trials() throws Exception {
    List<RecordedCommit> commits = commits(200);
    for (int bad = 1; bad < commits.size(); bad++) {
      long place = commits.get(bad).end().position();
      Set<RecoveryPoint> tested = new HashSet<>();
      LastGoodPoint.Found found =
          LastGoodPoint.among(
              commits,
              point -> {
                assertTrue(tested.add(point), "tested twice: " + point);
                boolean isBad = ((RecoveryPoint.AtPosition) point).offset() >= place;
                return isBad ? Verdict.BAD : Verdict.GOOD;
              });

      assertEquals(commits.get(bad - 1), found.lastGood());
      assertEquals(commits.get(bad), found.firstBad());
      assertEquals(tested.size(), found.trials());
      assertTrue(found.trials() <= 8, found::toString);
    }
  }

  @Test
  void two_commits_need_no_trial_and_one_is_no_range() throws Exception {
    LastGoodPoint.Trial never =
        point -> {
          throw new AssertionError("tested " + point);
        };

    assertEquals(0, LastGoodPoint.among(commits(2), never).trials());
    assertThrows(IllegalArgumentException.class, () -> LastGoodPoint.among(commits(1), never));
  }

  @Test
  void an_hour_is_halved_to_a_second() throws Exception {
    Instant bad = START.plusSeconds(1234);
    LastGoodPoint.FoundTime found =
        LastGoodPoint.between(
            START,
            START.plusSeconds(3600),
            Duration.ofSeconds(1),
            point -> point.instant().orElseThrow().isBefore(bad) ? Verdict.GOOD : Verdict.BAD);

    assertTrue(found.lastGood().isBefore(bad) && !found.firstBad().isBefore(bad), found::toString);
    assertTrue(Duration.between(found.lastGood(), found.firstBad()).toMillis() <= 1000);
    assertEquals(12, found.trials());
    assertThrows(
        IllegalArgumentException.class,
        () -> LastGoodPoint.between(bad, START, Duration.ofSeconds(1), point -> Verdict.BAD));
  }
}
