package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.PlannedSource;

/** Asks whether a run could and should store something in the sink; changes nothing there. */
public final class SinkCheck {
  private static final String LOG = "sink: check.log";
  private static final String ROOM = "sink: check.room";
  private static final String EXPOSURE = "sink: check.exposure";
  private static final String JANITOR = "retention: check.janitor";

  private final Context context;
  private final Repository repository;
  private final BackupPlan plan;
  private final StopSignal stopping;

  /** Everything stays the caller's. */
  public SinkCheck(Context context, Repository repository, BackupPlan plan, StopSignal stopping) {
    this.context = context;
    this.repository = repository;
    this.plan = plan;
    this.stopping = stopping;
  }

  /**
   * Everything that a preflight says of the sink.
   *
   * @param sources that would be captured
   * @param expectedBytes of full captures, as far as the sources said
   */
  public List<CheckResult> of(WriterId writer, List<PlannedSource> sources, long expectedBytes)
      throws BackupException {
    List<CheckResult> results = new ArrayList<>();
    try {
      LogView log = repository.log(writer.name());
      results.add(sound(log));
      results.addAll(room(log, sources, expectedBytes));
    } catch (IOException e) {
      stopping.check();
      FailureCode code =
          e instanceof BackupException known ? known.code() : CoreFailure.SINK_FAILED;
      results.add(CheckResult.fail(LOG, Cause.words(e), code.remedy()));
    }
    results.addAll(exposure());
    return results;
  }

  private static CheckResult sound(LogView log) {
    return log.isHeadSound()
        ? CheckResult.pass(LOG, "log %s has %d entries".formatted(log.log(), log.entries().size()))
        : CheckResult.fail(
            LOG,
            "log %s cannot be continued: %s".formatted(log.log(), log.damage()),
            CoreFailure.CHAIN_BROKEN.remedy());
  }

  private List<CheckResult> room(LogView log, List<PlannedSource> sources, long expectedBytes)
      throws BackupException {
    try {
      return StoreRoom.of(repository, log, sources, expectedBytes).checks(plan.storage());
    } catch (IOException e) {
      stopping.check();
      return List.of(CheckResult.skip(ROOM, Cause.words(e)));
    }
  }

  private List<CheckResult> exposure() throws BackupException {
    CollectedChecks results = new CollectedChecks(context.clock(), stopping);
    try {
      repository.store().checkExposure(results);
    } catch (IOException e) {
      stopping.check();
      results.add(CheckResult.skip(EXPOSURE, Cause.words(e)));
    }
    return results.all();
  }

  /** Whether somebody else than the writer deletes. */
  public static CheckResult janitor(WriterId writer, WriterId deleting) {
    return writer.publicKey().equals(deleting.publicKey())
        ? CheckResult.warn(
            JANITOR,
            "the key that writes also deletes",
            "give retention a key of its own, on another machine: whoever takes over this one can delete")
        : CheckResult.pass(JANITOR, "%s deletes".formatted(deleting.name()));
  }

  /**
   * Refuses a run for which there is no room by the plan, or that would put secrets or keys where
   * others can get at them, although they are sealed.
   *
   * @throws BackupException.Sink SINK_FULL or STORE_EXPOSED
   */
  void require(WriterId writer, List<PlannedSource> sources, long expectedBytes)
      throws IOException {
    if (plan.storage().isPresent()) {
      StoreRoom.of(repository, repository.log(writer.name()), sources, expectedBytes)
          .require(plan.storage().get());
    }
    if (sources.stream().anyMatch(SinkCheck::isSecret)) {
      requirePrivate();
    }
  }

  private static boolean isSecret(PlannedSource source) {
    Stage stage = source.description().stage();
    return stage == Stage.SECRETS || stage == Stage.KEYS;
  }

  private void requirePrivate() throws BackupException {
    List<String> open =
        exposure().stream()
            .filter(r -> r.verdict() == CheckResult.Verdict.FAIL)
            .map(r -> "%s: %s hint: %s".formatted(r.id(), r.evidence(), r.remedy()))
            .toList();
    if (!open.isEmpty()) {
      throw new BackupException.Sink(
          CoreFailure.STORE_EXPOSED,
          Reason.REFUSED,
          "secrets are not stored where others can get at them: " + String.join("; ", open));
    }
  }
}
