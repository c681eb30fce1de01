package org.stellaops.backup.postgres.internal.wire;

import java.io.IOException;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresFailure;

/** A timeline's history file, byte by byte as the server has it. */
public final class HistoryFile {
  private final String name;
  private final byte[] content;

  private HistoryFile(String name, byte[] content) {
    this.name = name;
    this.content = content;
  }

  /** From the one row that TIMELINE_HISTORY answers. */
  static HistoryFile of(Body row) throws IOException {
    int columns = row.int16();
    String name = columns == 2 ? row.column() : null;
    byte[] content = columns == 2 ? row.rawColumn() : null;
    if (name == null || content == null) {
      throw new BackupException.Source(
          PostgresFailure.PROTOCOL, "TIMELINE_HISTORY answered no name and content");
    }
    return new HistoryFile(name, content);
  }

  /** Its name in {@code pg_wal}. */
  public String name() {
    return name;
  }

  /** A copy of its bytes. */
  public byte[] content() {
    return content.clone();
  }

  @Override
  public String toString() {
    return name;
  }
}
