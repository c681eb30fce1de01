package org.stellaops.backup.postgres.internal.wire;

import org.stellaops.backup.postgres.Lsn;

/**
 * Where a cluster's history went on.
 *
 * @param timeline the next one
 * @param at where it begins: behind the last byte of the one before
 */
public record TimelineSwitch(long timeline, Lsn at) {}
