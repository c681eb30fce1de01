/** The replication protocol, spoken on a socket that the driver opened and authenticated. */
@NullMarked
package org.stellaops.backup.postgres.internal.wire;

import org.jspecify.annotations.NullMarked;
