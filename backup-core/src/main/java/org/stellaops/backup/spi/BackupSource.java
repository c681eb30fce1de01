package org.stellaops.backup.spi;

import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;

/**
 * What can be captured. A value that stands in a plan:
 *
 * <ul>
 *   <li>it connects in {@link #capture} and closes what it opened there, never what it was given;
 *   <li>it may be captured again and again, also by several engines, one capture at a time per
 *       engine;
 *   <li>it never reports less than it was asked for as success: what is missing is an exception or
 *       a finding.
 * </ul>
 */
public interface BackupSource {
  /** What it is. No I/O; the same answer every time. */
  SourceDescription describe();

  /**
   * Whether a capture would work: connection, rights, required files. Nothing is left behind. A
   * FAIL stops the run before anything is stored.
   */
  void check(Checks checks) throws IOException;

  /**
   * Hands every artifact to the session.
   *
   * @throws IOException whatever went wrong; the snapshot then lacks this source, and exists only
   *     if the plan allows it
   */
  void capture(CaptureSession session) throws IOException;

  /**
   * Opened for all sources before the first capture, closed in reverse after the last, whatever
   * happened: a deletion hold, a pause of writers.
   */
  default Closeable hold(HoldContext context) throws IOException {
    return () -> {};
  }

  /** Where it came from, if restoring there makes sense. */
  default Optional<RestoreTarget> origin() {
    return Optional.empty();
  }
}
