/** Physical backups of PostgreSQL and their restore. */
@NullMarked
package org.stellaops.backup.postgres;

import org.jspecify.annotations.NullMarked;
