package org.stellaops.backup.model;

/**
 * What moving to an archive did.
 *
 * @param copy what is in the archive: all of it was read there and compared
 * @param dropped what was let go of here; its objects are removed when the grace is over
 */
public record ArchiveReport(CopyReport copy, PruneReport dropped) {}
