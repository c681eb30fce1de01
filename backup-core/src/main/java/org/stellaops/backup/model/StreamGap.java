package org.stellaops.backup.model;

/**
 * A part of a branch that was lost before it could be recorded. Nothing can be replayed across it.
 *
 * @param from first byte that is missing
 * @param to behind the last one
 * @param why in a sentence
 */
public record StreamGap(Position from, Position to, String why) {}
