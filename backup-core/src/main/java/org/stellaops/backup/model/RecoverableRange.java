package org.stellaops.backup.model;

import java.time.Instant;
import java.util.Optional;

/**
 * The instants to which a source can be taken from one of its captures.
 *
 * @param snapshot which holds the capture
 * @param source what the plan calls the source
 * @param from earliest instant, by the source's clock
 * @param to of the latest event that was recorded and can be reached without a gap; empty if
 *     nothing with a time was recorded since
 * @param end how far that goes; the end of the capture where nothing was recorded since
 */
public record RecoverableRange(
    SnapshotId snapshot, SourceName source, Instant from, Optional<Instant> to, Position end) {}
