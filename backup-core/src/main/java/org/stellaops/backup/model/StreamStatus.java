package org.stellaops.backup.model;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * How a stream is doing.
 *
 * @param stream what the plan calls it
 * @param state what it does now
 * @param since when it began to do that, by the engine's clock
 * @param durable behind the last byte that is recorded; empty before the first
 * @param lagBytes between what the source has and what is durable, when it was last asked
 * @param lagTime since the oldest byte that is not durable arrived
 * @param problem why it waits or has failed
 * @param findings the newest of each code and subject since the stream was started
 */
public record StreamStatus(
    SourceName stream,
    State state,
    Instant since,
    Optional<Position> durable,
    long lagBytes,
    Duration lagTime,
    Optional<BackupException> problem,
    List<Finding> findings) {
  public StreamStatus {
    findings = List.copyOf(findings);
  }

  /** What a stream does. */
  public enum State {
    /** It records. */
    FOLLOWING,
    /** Something failed; it will try again. */
    WAITING,
    /** Something failed that trying again cannot mend. */
    FAILED,
    /** It was closed. */
    CLOSED
  }
}
