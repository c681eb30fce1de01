package org.stellaops.backup.postgres.internal.wire;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * What IDENTIFY_SYSTEM answers.
 *
 * @param systemIdentifier made by initdb, unsigned 64 bit in decimal
 * @param timeline the current one
 * @param flushed how far the WAL is durable
 */
public record SystemIdentity(String systemIdentifier, long timeline, Lsn flushed) {
  static SystemIdentity of(List<@Nullable String> row) throws IOException {
    String system = row.get(0);
    String timeline = row.size() > 1 ? row.get(1) : null;
    String flushed = row.size() > 2 ? row.get(2) : null;
    if (system == null || timeline == null || flushed == null) {
      throw new BackupException.Source(
          PostgresFailure.PROTOCOL, "IDENTIFY_SYSTEM answered " + row.size() + " columns: " + row);
    }
    return new SystemIdentity(system, Long.parseLong(timeline), Lsn.parse(flushed));
  }
}
