/**
 * A data directory made from a base backup's tars: staged beside its place, then renamed into it.
 */
@NullMarked
package org.stellaops.backup.postgres.internal.restore;

import org.jspecify.annotations.NullMarked;
