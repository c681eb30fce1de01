package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.WriterId;

/** Asks whether a run could store something in the sink; changes nothing there. */
public final class SinkCheck {
  private static final String LOG = "sink: check.log";
  private static final String JANITOR = "retention: check.janitor";
  private static final String ROOM = "sink: check.room";

  private SinkCheck() {}

  /** Whether the sink can be read and the log of this writer be continued. */
  public static CheckResult log(Repository repository, String writer) {
    try {
      LogView log = repository.log(writer);
      return log.isHeadSound()
          ? CheckResult.pass(LOG, "log %s has %d entries".formatted(writer, log.entries().size()))
          : CheckResult.fail(
              LOG,
              "log %s cannot be continued: %s".formatted(writer, log.damage()),
              CoreFailure.CHAIN_BROKEN.remedy());
    } catch (IOException e) {
      FailureCode code =
          e instanceof BackupException known ? known.code() : CoreFailure.SINK_FAILED;
      return CheckResult.fail(LOG, Cause.words(e), code.remedy());
    }
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
   * Whether full captures would fit if nothing of them were known and nothing could be compressed;
   * empty where nobody can tell.
   */
  public static Optional<CheckResult> room(Repository repository, long expectedBytes) {
    try {
      OptionalLong free = repository.store().freeBytes();
      return free.isEmpty() || expectedBytes == 0
          ? Optional.empty()
          : Optional.of(room(free.getAsLong(), expectedBytes));
    } catch (IOException e) {
      return Optional.of(CheckResult.skip(ROOM, Cause.words(e)));
    }
  }

  private static CheckResult room(long free, long expected) {
    String evidence =
        "%d MB are free, full captures hold %d MB before they are compressed"
            .formatted(free / 1_000_000, expected / 1_000_000);
    return free >= expected
        ? CheckResult.pass(ROOM, evidence)
        : CheckResult.warn(ROOM, evidence, CoreFailure.SINK_FULL.remedy());
  }
}
