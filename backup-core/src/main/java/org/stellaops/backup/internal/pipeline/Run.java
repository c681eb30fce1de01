package org.stellaops.backup.internal.pipeline;

/**
 * Neighbouring frames of one pack that are neighbours in an artifact, too.
 *
 * @param pack ordinal
 * @param offset in the plain bytes of the pack
 * @param storedBytes of the frames
 * @param plainBytes of the chunks in them
 */
public record Run(int pack, int offset, int storedBytes, long plainBytes) {}
