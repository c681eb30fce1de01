package org.stellaops.backup.internal.run;

import java.io.IOException;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;

/** Asks whether the sink can be read and a writer's log be continued; changes nothing there. */
public final class SinkCheck {
  private static final String ID = "sink: check.log";

  private SinkCheck() {}

  /** What a run of this writer would meet before it stores anything. */
  public static CheckResult of(Repository repository, String writer) {
    try {
      LogView log = repository.log(writer);
      return log.isHeadSound()
          ? CheckResult.pass(ID, "log %s has %d entries".formatted(writer, log.entries().size()))
          : CheckResult.fail(
              ID,
              "log %s cannot be continued: %s".formatted(writer, log.damage()),
              CoreFailure.CHAIN_BROKEN.remedy());
    } catch (IOException e) {
      FailureCode code =
          e instanceof BackupException known ? known.code() : CoreFailure.SINK_FAILED;
      return CheckResult.fail(ID, Cause.words(e), code.remedy());
    }
  }
}
