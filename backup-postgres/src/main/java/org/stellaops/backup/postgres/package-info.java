/**
 * Physical backups of PostgreSQL 15 to 18 over the replication protocol, and their restore: {@link
 * org.stellaops.backup.postgres.PostgresSource} captures, {@link
 * org.stellaops.backup.postgres.PostgresTarget} restores. With the server's own programs beside it,
 * {@link org.stellaops.backup.postgres.PostgresPrograms}, a restored cluster proves itself, and
 * single databases are captured by {@code pg_dump}. The internal packages import the values of this
 * one and nothing else of it.
 */
@NullMarked
package org.stellaops.backup.postgres;

import org.jspecify.annotations.NullMarked;
