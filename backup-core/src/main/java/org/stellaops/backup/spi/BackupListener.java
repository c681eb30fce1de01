package org.stellaops.backup.spi;

import java.time.Duration;
import java.util.Set;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CopyReport;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Progress;
import org.stellaops.backup.model.RecoveryWindow;
import org.stellaops.backup.model.RestoreReport;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.VerificationReport;

/**
 * Hears what happens. Default methods, so that events may be added. Called by the thread that
 * works: return quickly. An exception of a listener is logged once per listener and changes
 * nothing.
 */
public interface BackupListener {
  /** A run begins; from now on it can be cancelled. */
  default void runStarted(RunId run, Set<SourceName> sources) {}

  /** How far a run is; at most five times a second per phase, and once at the end of each phase. */
  default void progressed(Progress progress) {}

  /** A source is captured; it counts once the run is finished. */
  default void sourceCaptured(RunId run, CaptureHeader source) {}

  /** Something was noticed. */
  default void found(RunId run, Finding finding) {}

  /** A snapshot exists. */
  default void runFinished(BackupReport report) {}

  /** No snapshot was made. */
  default void runFailed(RunId run, BackupException failure) {}

  /** It did not have to begin: the slot of the schedule is another run's. */
  default void runNotNeeded(RunId run) {}

  /** A verification ended, well or badly. */
  default void verified(VerificationReport report) {}

  /** A copy ended; what is missing in it is in the report. */
  default void copied(CopyReport report) {}

  /** A restore is done. */
  default void restoreFinished(RestoreReport report) {}

  /**
   * After a prune, for each source that a recorded stream follows: how far back it can be taken.
   */
  default void recoveryWindow(RecoveryWindow window) {}

  /** A stream noticed something. */
  default void streamFound(SourceName stream, Finding finding) {}

  /** A stream failed, and will be followed again after a pause. */
  default void streamInterrupted(SourceName stream, BackupException failure, Duration pause) {}

  /** A stream failed, and stays stopped until somebody mends what is wrong. */
  default void streamFailed(SourceName stream, BackupException failure) {}
}
