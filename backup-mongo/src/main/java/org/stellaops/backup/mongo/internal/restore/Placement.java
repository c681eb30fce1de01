package org.stellaops.backup.mongo.internal.restore;

import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Namespace;

/**
 * Where one collection of an archive goes.
 *
 * @param archived what it is called in the archive
 * @param target what it becomes
 * @param load what it is while it is filled: the same, or one of another name beside it
 */
record Placement(Namespace archived, CollectionSpec target, CollectionSpec load) {}
