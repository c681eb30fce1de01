package org.stellaops.backup.model;

/**
 * A remembered head of some chain, so that its later truncation shows.
 *
 * @param what which chain
 * @param sequence place of the head
 * @param head digest of the head
 */
public record Witness(String what, long sequence, Digest head) {}
