package org.stellaops.backup.spi;

import java.io.IOException;
import org.stellaops.backup.model.BackupException;

/**
 * An endless history that is recorded while it happens: write-ahead log, oplog. A value that stands
 * in a plan; it connects in {@link #follow} and closes what it opened there.
 */
public interface ContinuousSource {
  /** What it is; its kind is the format of its slices. No I/O; the same answer every time. */
  SourceDescription describe();

  /** Whether following would work: connection, rights, settings. Nothing is left behind. */
  void check(Checks checks) throws IOException;

  /**
   * Records from {@link StreamSession#durable} on until the session stops, and returns then. What
   * was not recorded must stay at the source: it is told to forget only what {@link
   * StreamSession#append} has made durable.
   *
   * @throws BackupException.Refused if trying again cannot help: the stream then stays stopped
   * @throws IOException whatever went wrong; it is called again after a while
   */
  void follow(StreamSession session) throws IOException;
}
