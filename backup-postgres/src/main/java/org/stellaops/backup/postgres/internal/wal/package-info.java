/** Write-ahead log as files and as records: names, histories, and whether it is whole. */
@NullMarked
package org.stellaops.backup.postgres.internal.wal;

import org.jspecify.annotations.NullMarked;
