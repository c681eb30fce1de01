package org.stellaops.backup.model;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * One attempt to back up, as its writer's log tells it.
 *
 * @param run which one; the snapshot, if one came of it, has the same id
 * @param writer whose log it is in
 * @param plan name of the plan
 * @param slot of the schedule that it answers for
 * @param instance that made it
 * @param attempt 1, or one more than that of the run whose work it takes up
 * @param retries the run that it is another attempt of
 * @param lease after a silence of that length others may end it
 * @param state how it stands
 * @param began by the clock of whoever made it
 * @param ended by the clock of whoever ended it; empty while it is running
 * @param failure the stable code of what failed; empty unless it failed
 */
public record RunRecord(
    RunId run,
    String writer,
    String plan,
    Optional<Slot> slot,
    String instance,
    int attempt,
    Optional<RunId> retries,
    Duration lease,
    State state,
    Instant began,
    Optional<Instant> ended,
    Optional<String> failure) {

  /** How a run stands. */
  public enum State {
    /**
     * It has not ended, as far as its log says. After a crash that stays so until its lease is
     * over, and where the store knows no times until another run of the plan finds it silent.
     */
    RUNNING,
    /**
     * It has not ended, and showed no sign of life for longer than its lease: most likely it
     * crashed. The next run of the plan ends it; if it lives after all, it goes on until then.
     */
    SILENT,
    /** There is a snapshot. */
    COMMITTED,
    /** It said itself that there will be none. */
    FAILED,
    /** It was silent for longer than its lease, and another one took over. It cannot commit. */
    ABANDONED
  }

  /** Whether it can still commit. */
  public boolean isOpen() {
    return state == State.RUNNING || state == State.SILENT;
  }

  /** The same run, which shows no sign of life. */
  public RunRecord silent() {
    return new RunRecord(
        run,
        writer,
        plan,
        slot,
        instance,
        attempt,
        retries,
        lease,
        State.SILENT,
        began,
        ended,
        failure);
  }
}
