package org.stellaops.backup.postgres.internal.wire;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresFailure;

/** What a physical replication slot holds. */
public sealed interface SlotState {
  /** Which of the three it is. */
  Kind kind();

  /** What READ_REPLICATION_SLOT answers: type, LSN and timeline, all null for no slot. */
  static SlotState of(List<@Nullable String> row) throws IOException {
    if (row.size() < 3) {
      throw new BackupException.Source(
          PostgresFailure.PROTOCOL,
          "READ_REPLICATION_SLOT answered %d columns: %s".formatted(row.size(), row));
    }
    String restart = row.get(1);
    String timeline = row.get(2);
    if (row.get(0) == null) {
      return new Absent();
    }
    return restart == null || timeline == null
        ? new Unreserved()
        : new Reserved(Lsn.parse(restart), Long.parseLong(timeline));
  }

  /** What callers tell apart. */
  enum Kind {
    ABSENT,
    UNRESERVED,
    RESERVED
  }

  /** There is no such slot. */
  record Absent() implements SlotState {
    @Override
    public Kind kind() {
      return Kind.ABSENT;
    }
  }

  /** The slot holds no WAL: it never did, or it was invalidated. */
  record Unreserved() implements SlotState {
    @Override
    public Kind kind() {
      return Kind.UNRESERVED;
    }
  }

  /**
   * The slot holds WAL.
   *
   * @param restart the oldest byte that is held
   * @param timeline on which {@code restart} is
   */
  record Reserved(Lsn restart, long timeline) implements SlotState {
    @Override
    public Kind kind() {
      return Kind.RESERVED;
    }
  }
}
