package org.stellaops.backup;

import java.time.Duration;
import org.stellaops.backup.internal.run.StreamRun;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.StreamStatus;

/**
 * A stream that is being recorded, on a thread of its own. After a failure it is followed again,
 * later and later, up to every 30 seconds. From any thread.
 */
public final class RunningStream implements AutoCloseable {
  private final StreamRun run;

  RunningStream(StreamRun run) {
    this.run = run;
  }

  /** How it is doing. */
  public StreamStatus status() {
    return run.status();
  }

  /**
   * Waits until everything before this position is durable.
   *
   * @return whether it is; {@code false} also if the stream has ended before
   */
  public boolean await(Position position, Duration within) throws InterruptedException {
    return run.await(position, within);
  }

  /**
   * Stops recording, and waits until that has ended: what has arrived is stored first. What the
   * source keeps for this stream, such as a replication slot, stays. Idempotent.
   */
  @Override
  public void close() {
    run.close();
  }
}
