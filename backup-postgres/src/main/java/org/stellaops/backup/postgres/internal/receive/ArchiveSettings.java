package org.stellaops.backup.postgres.internal.receive;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * How archived WAL is accepted.
 *
 * @param port of the loopback interface; 0 for any that is free
 * @param tokenFile that holds what a client has to say
 * @param system the only one whose WAL is accepted; empty: that of the first segment
 * @param isGapAccepted whether a segment that leaves something out is accepted
 * @param clientPatience longest time that a client may take to send what fits the buffer
 * @param listening is told the address, each time that it listens
 */
public record ArchiveSettings(
    int port,
    Path tokenFile,
    Optional<String> system,
    boolean isGapAccepted,
    Duration clientPatience,
    Consumer<InetSocketAddress> listening) {
  /** The same for one system only. */
  public ArchiveSettings ofSystem(String identifier) {
    return new ArchiveSettings(
        port, tokenFile, Optional.of(identifier), isGapAccepted, clientPatience, listening);
  }

  /** The same, with gaps. */
  public ArchiveSettings acceptingGaps() {
    return new ArchiveSettings(port, tokenFile, system, true, clientPatience, listening);
  }

  /** The same with another patience. */
  public ArchiveSettings patience(Duration time) {
    return new ArchiveSettings(port, tokenFile, system, isGapAccepted, time, listening);
  }

  /** The same, which tells somebody where it listens. */
  public ArchiveSettings telling(Consumer<InetSocketAddress> who) {
    return new ArchiveSettings(port, tokenFile, system, isGapAccepted, clientPatience, who);
  }
}
