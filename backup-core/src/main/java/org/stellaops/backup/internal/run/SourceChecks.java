package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.plan.PlannedSource;
import org.stellaops.backup.plan.PlannedStream;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Stopping;

/** Asks sources whether a capture would work; changes nothing. */
public final class SourceChecks {
  private final InstantSource clock;
  private final Stopping stopping;
  private long expectedBytes;

  /** Checks that can be stopped. */
  public SourceChecks(InstantSource clock, Stopping stopping) {
    this.clock = clock;
    this.stopping = stopping;
  }

  /**
   * Everything that these sources say; one that throws has failed its check.
   *
   * @throws BackupException.Stopped if the checks were stopped
   */
  public List<CheckResult> of(List<PlannedSource> sources) throws BackupException {
    List<CheckResult> results = new ArrayList<>();
    for (PlannedSource source : sources) {
      results.addAll(of(source));
    }
    return results;
  }

  /** Everything that these streams say. */
  public List<CheckResult> ofStreams(List<PlannedStream> streams) throws BackupException {
    List<CheckResult> results = new ArrayList<>();
    for (PlannedStream stream : streams) {
      results.addAll(of(stream.name(), stream.source()::check));
    }
    return results;
  }

  /** How much full captures of all that were asked hold, as far as they said. */
  public long expectedBytes() {
    return expectedBytes;
  }

  /** What can be asked. */
  @FunctionalInterface
  private interface Checked {
    void check(Checks checks) throws IOException;
  }

  private List<CheckResult> of(PlannedSource source) throws BackupException {
    return of(source.name(), source.source()::check);
  }

  private List<CheckResult> of(SourceName name, Checked checked) throws BackupException {
    CollectedChecks collected = new CollectedChecks(clock, stopping);
    try {
      checked.check(collected);
    } catch (IOException e) {
      stopping.check();
      collected.add(
          CheckResult.fail("check", Cause.words(e), CoreFailure.SOURCE_CHECK_FAILED.remedy()));
    }
    stopping.check();
    expectedBytes += collected.expectedBytes();
    return collected.all().stream().map(r -> of(name, r)).toList();
  }

  private static CheckResult of(SourceName source, CheckResult result) {
    return new CheckResult(
        source + ": " + result.id(), result.verdict(), result.evidence(), result.remedy());
  }

  /** Those that can be captured; those that cannot, and may fail, are skipped. */
  List<PlannedSource> sound(List<PlannedSource> sources, RunFindings findings)
      throws BackupException {
    List<PlannedSource> sound = new ArrayList<>();
    List<String> failures = new ArrayList<>();
    for (PlannedSource source : sources) {
      List<String> failed = failed(of(source));
      if (failed.isEmpty()) {
        sound.add(source);
      } else if (source.mayFail()) {
        findings.skipped(source, String.join("; ", failed));
      } else {
        failures.addAll(failed);
      }
    }
    if (!failures.isEmpty()) {
      throw new BackupException.Source(
          CoreFailure.SOURCE_CHECK_FAILED, String.join("; ", failures));
    }
    return sound;
  }

  private static List<String> failed(List<CheckResult> results) {
    return results.stream()
        .filter(r -> r.verdict() == CheckResult.Verdict.FAIL)
        .map(
            r ->
                r.id() + ": " + r.evidence() + (r.remedy().isEmpty() ? "" : " hint: " + r.remedy()))
        .toList();
  }
}
