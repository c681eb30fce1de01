package org.stellaops.backup.internal.run;

import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode.Severity;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.plan.PlannedSource;

/** What a backup noticed, and how it therefore ends. One thread. */
final class RunFindings {
  private final RunId run;
  private final Listeners listeners;
  private final List<Finding> all = new ArrayList<>();
  private boolean isPartial;

  RunFindings(RunId run, Listeners listeners) {
    this.run = run;
    this.listeners = listeners;
  }

  /** The same, to be gone on with from here more than once. */
  RunFindings copy() {
    RunFindings copy = new RunFindings(run, listeners);
    copy.all.addAll(all);
    copy.isPartial = isPartial;
    return copy;
  }

  /** Takes findings that listeners have heard of. */
  void add(List<Finding> heard) {
    all.addAll(heard);
  }

  /** The snapshot will be without this source, which the plan allows. */
  void skipped(PlannedSource source, String why) {
    isPartial = true;
    Finding finding = new Finding(CoreFailure.SOURCE_SKIPPED, source.name().value(), why);
    all.add(finding);
    listeners.tell(l -> l.found(run, finding));
  }

  List<Finding> all() {
    return List.copyOf(all);
  }

  /** As far as the run has come. */
  Outcome outcome() {
    Outcome outcome = outcome(all);
    return isPartial ? outcome.worst(Outcome.PARTIAL) : outcome;
  }

  /** Of something complete in which this was found. */
  static Outcome outcome(List<Finding> findings) {
    boolean isDegraded = findings.stream().anyMatch(f -> f.code().severity() != Severity.INFO);
    return isDegraded ? Outcome.DEGRADED : Outcome.GOOD;
  }
}
