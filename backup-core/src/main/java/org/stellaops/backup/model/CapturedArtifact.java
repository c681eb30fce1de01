package org.stellaops.backup.model;

/**
 * One artifact as it was captured.
 *
 * @param name within its source
 * @param plainBytes length of the plain bytes
 * @param plain digest of the plain bytes
 */
public record CapturedArtifact(ArtifactName name, long plainBytes, Digest plain) {}
