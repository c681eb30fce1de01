package org.stellaops.backup.postgres;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.stellaops.backup.model.RecoveryPoint;

/**
 * Finds the last point before something became bad by halving: of n commits, about log2 n are
 * restored and tested. What was bad once is taken to stay so.
 */
public final class LastGoodPoint {
  private LastGoodPoint() {}

  /** What a trial found. */
  public enum Verdict {
    GOOD,
    BAD
  }

  /** Restores to a point, somewhere, and looks whether all is well there. */
  @FunctionalInterface
  public interface Trial {
    /**
     * The verdict.
     *
     * @throws IOException if the point could not be tested; the search ends with it
     */
    Verdict at(RecoveryPoint point) throws IOException;
  }

  /**
   * Two commits that follow one another.
   *
   * @param lastGood the last that was good: its {@link RecordedCommit#point} is where to restore to
   * @param firstBad the one that made it bad
   * @param trials how many were made
   */
  public record Found(RecordedCommit lastGood, RecordedCommit firstBad, int trials) {}

  /**
   * The last good one of some commits.
   *
   * @param commits in the order of the WAL: the first is known to be good, the last to be bad, and
   *     neither is tested
   * @throws IllegalArgumentException if there are not at least two
   */
  public static Found among(List<RecordedCommit> commits, Trial trial) throws IOException {
    if (commits.size() < 2) {
      throw new IllegalArgumentException(
          "%d commits, expected one that is good and one that is bad".formatted(commits.size()));
    }
    int good = 0;
    int bad = commits.size() - 1;
    int trials = 0;
    while (bad - good > 1) {
      int middle = good + (bad - good) / 2;
      boolean isGood = trial.at(commits.get(middle).point()) == Verdict.GOOD;
      good = isGood ? middle : good;
      bad = isGood ? bad : middle;
      trials++;
    }
    return new Found(commits.get(good), commits.get(bad), trials);
  }

  /**
   * Two instants, no farther apart than was asked for.
   *
   * @param lastGood up to here all is well
   * @param firstBad here it is not
   * @param trials how many were made
   */
  public record FoundTime(Instant lastGood, Instant firstBad, int trials) {}

  /**
   * The last good instant, where nobody can or will read the WAL.
   *
   * @param good known to be
   * @param bad known to be, and later
   * @param precision how near the two have to come; more than nothing
   */
  public static FoundTime between(Instant good, Instant bad, Duration precision, Trial trial)
      throws IOException {
    if (!good.isBefore(bad) || precision.isZero() || precision.isNegative()) {
      throw new IllegalArgumentException(
          "nothing to find from %s to %s within %s".formatted(good, bad, precision));
    }
    Instant lastGood = good;
    Instant firstBad = bad;
    int trials = 0;
    while (Duration.between(lastGood, firstBad).compareTo(precision) > 0) {
      Instant middle = lastGood.plus(Duration.between(lastGood, firstBad).dividedBy(2));
      boolean isGood = trial.at(RecoveryPoint.at(middle)) == Verdict.GOOD;
      lastGood = isGood ? middle : lastGood;
      firstBad = isGood ? firstBad : middle;
      trials++;
    }
    return new FoundTime(lastGood, firstBad, trials);
  }
}
