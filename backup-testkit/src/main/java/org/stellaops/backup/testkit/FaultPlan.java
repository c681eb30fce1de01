package org.stellaops.backup.testkit;

import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.spi.BackupSink;

/**
 * Which operation of a run fails, and how. Operations of all stores that share the plan are
 * numbered from 0 in the order in which they begin; with one thread the same run has the same
 * numbers. A law is then checked at every place where storage can fail:
 *
 * <pre>{@code
 * boolean hasFired = true;
 * for (long n = 0; hasFired; n++) {
 *   var plan = FaultPlan.failing(n, FaultPlan.When.TORN);
 *   run(plan.on(sink()));           // must end well, or leave nothing
 *   hasFired = plan.hasFired();     // false: the run has n operations, each failed once
 * }
 * }</pre>
 *
 * <p>From any thread.
 */
public final class FaultPlan {
  /** The exit status of a killed JVM: what a shell shows for SIGKILL, 128 + 9. */
  public static final int KILLED = 137;

  private final long operation;
  private final When when;
  private final boolean isKilling;
  private final Reason reason;
  private final boolean isLasting;
  private final List<String> log = new ArrayList<>();
  private boolean hasFired;

  private FaultPlan(
      long operation, When when, boolean isKilling, Reason reason, boolean isLasting) {
    this.operation = operation;
    this.when = when;
    this.isKilling = isKilling;
    this.reason = reason;
    this.isLasting = isLasting;
  }

  /** Nothing fails; operations are counted. */
  public static FaultPlan none() {
    return new FaultPlan(Long.MAX_VALUE, When.BEFORE, false, Reason.TRANSIENT, false);
  }

  /** The operation of this number fails, once, as TRANSIENT. */
  public static FaultPlan failing(long operation, When when) {
    return new FaultPlan(operation, when, false, Reason.TRANSIENT, false);
  }

  /**
   * The operation of this number ends the JVM at once with status {@link #KILLED}: no shutdown
   * hook, no {@code finally}. For a child process.
   */
  public static FaultPlan killing(long operation, When when) {
    return new FaultPlan(operation, when, true, Reason.TRANSIENT, false);
  }

  /** The same, with another reason; nothing counted yet. */
  public FaultPlan because(Reason because) {
    return new FaultPlan(operation, when, isKilling, because, isLasting);
  }

  /** The same, but every later operation fails as well; nothing counted yet. */
  public FaultPlan andEverAfter() {
    return new FaultPlan(operation, when, isKilling, reason, true);
  }

  /** {@code sink} with this plan in every store it opens. */
  public BackupSink on(BackupSink sink) {
    return sink.with(store -> new FaultyStore(store, this));
  }

  /** How many operations have begun. */
  public synchronized long operations() {
    return log.size();
  }

  /** What they were, in order: {@code put entries/1}. */
  public synchronized List<String> log() {
    return List.copyOf(log);
  }

  /** Whether the operation that was to fail has come. */
  public synchronized boolean hasFired() {
    return hasFired;
  }

  /** Counts one operation and says what becomes of it. */
  synchronized Fault begin(String what) {
    long number = log.size();
    log.add(what);
    boolean isDue = number == operation || (isLasting && number > operation);
    hasFired |= isDue;
    return isDue
        ? new Fault(when, isKilling, reason, "operation %d, %s".formatted(number, what))
        : Fault.NONE;
  }

  @Override
  public String toString() {
    return operation == Long.MAX_VALUE
        ? "no faults"
        : "%s operation %d %s%s"
            .formatted(
                isKilling ? "kill at" : "fail",
                operation,
                when,
                isLasting ? " and all after it" : "");
  }

  /** Where in an operation it fails. */
  public enum When {
    /** Before anything is done. */
    BEFORE,
    /**
     * In the middle: of a put, half the body has been read and the store has to leave nothing; of a
     * read, some bytes have come out. Operations that have no middle fail before.
     */
    TORN,
    /** When it is done: only the reply is lost. */
    AFTER
  }
}
