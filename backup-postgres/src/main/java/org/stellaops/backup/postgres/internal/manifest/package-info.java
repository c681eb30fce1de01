/** PostgreSQL's {@code backup_manifest}, and whether files are what it says. */
@NullMarked
package org.stellaops.backup.postgres.internal.manifest;

import org.jspecify.annotations.NullMarked;
