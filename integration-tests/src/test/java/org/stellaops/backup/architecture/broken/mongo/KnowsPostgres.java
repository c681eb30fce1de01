package org.stellaops.backup.architecture.broken.mongo;

import org.postgresql.PGConnection;

/** A technology with the driver of another. */
public interface KnowsPostgres {
  PGConnection connection();
}
