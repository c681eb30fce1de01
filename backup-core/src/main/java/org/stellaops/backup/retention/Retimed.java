package org.stellaops.backup.retention;

import java.time.Instant;

/**
 * What somebody with the right to says of the time of a snapshot whose clock was wrong: all its
 * captures count as begun then.
 *
 * @param log in which the snapshot stands
 * @param sequence its place there
 * @param time when it was taken
 */
public record Retimed(String log, long sequence, Instant time) {}
