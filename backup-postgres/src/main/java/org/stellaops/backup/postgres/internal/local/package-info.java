/** PostgreSQL's programs on this machine: run, started, listened to and ended. */
@NullMarked
package org.stellaops.backup.postgres.internal.local;

import org.jspecify.annotations.NullMarked;
