package org.stellaops.backup.postgres.internal.wire;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * A small result, in text form.
 *
 * @param all rows and their columns, null where the database says so
 */
record Rows(List<List<@Nullable String>> all) {
  /** The one row that there must be, of at least one column. */
  List<@Nullable String> single() throws IOException {
    if (all.size() != 1 || all.get(0).isEmpty()) {
      throw new BackupException.Source(
          PostgresFailure.PROTOCOL, "expected a result of one row, found " + all.size());
    }
    return all.get(0);
  }
}
