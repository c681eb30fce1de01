package org.stellaops.backup.internal.pipeline;

/**
 * Where the frame of a chunk stands.
 *
 * @param pack ordinal of the pack in the writer's order of creation
 * @param offset of the frame in the plain bytes of the pack
 * @param storedBytes length of the frame
 * @param plainBytes length of the chunk
 */
public record ChunkPlace(int pack, int offset, int storedBytes, int plainBytes) {}
