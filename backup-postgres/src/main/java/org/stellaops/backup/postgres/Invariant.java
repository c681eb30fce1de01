package org.stellaops.backup.postgres;

import org.jspecify.annotations.Nullable;

/**
 * What must hold for the data of an application.
 *
 * @param expected the text of the one value in the one row that the query returns; null: {@code
 *     true}
 */
record Invariant(String database, String name, String sql, @Nullable String expected) {}
