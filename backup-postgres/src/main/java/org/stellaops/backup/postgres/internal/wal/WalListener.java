package org.stellaops.backup.postgres.internal.wal;

import java.io.IOException;
import java.time.Instant;
import org.stellaops.backup.postgres.Lsn;

/** Hears what {@link WalScanner} finds, record by record, after the record was found undamaged. */
public interface WalListener {
  /**
   * A transaction was committed.
   *
   * @param end behind the record: replay up to here holds it
   * @param xid of the transaction; that of the prepared one for a COMMIT PREPARED; 0 if it had none
   * @param time of the commit, by the server's clock
   */
  void committed(Lsn end, long xid, Instant time) throws IOException;

  /** A transaction was rolled back; as {@link #committed}. */
  void aborted(Lsn end, long xid, Instant time) throws IOException;

  /** Somebody called pg_create_restore_point, which returned {@code end}. */
  void restorePoint(Lsn end, String name, Instant time) throws IOException;

  /**
   * A checkpoint was made.
   *
   * @param begun when it began, by the clock of the server that wrote the WAL; whole seconds. What
   *     was committed before the place from which it replays was committed about then at the latest
   */
  default void checkpoint(Lsn end, Instant begun) throws IOException {}
}
