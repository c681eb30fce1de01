/** The tar dialect that PostgreSQL writes, read strictly. */
@NullMarked
package org.stellaops.backup.postgres.internal.tar;

import org.jspecify.annotations.NullMarked;
