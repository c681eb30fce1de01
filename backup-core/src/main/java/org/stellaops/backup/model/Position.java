package org.stellaops.backup.model;

/**
 * A place in the history of a source. Positions of one lineage compare by unsigned offset.
 *
 * @param lineage what makes positions comparable: a PostgreSQL system identifier, a replica set
 * @param branch PostgreSQL timeline, Mongo term, or 0
 * @param offset unsigned 64 bit
 * @param text as the technology writes it: {@code 16/B374D848}
 */
public record Position(String lineage, long branch, long offset, String text) {}
