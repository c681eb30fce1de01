/** Receives WAL from a server's replication slot into a stream, and watches the slot. */
@NullMarked
package org.stellaops.backup.postgres.internal.receive;

import org.jspecify.annotations.NullMarked;
