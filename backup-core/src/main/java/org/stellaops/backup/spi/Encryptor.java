package org.stellaops.backup.spi;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/** Plain bytes to sealed bytes, for whoever holds the public halves. From any thread. */
public interface Encryptor {
  /** {@code age/1}. */
  String name();

  /**
   * Begins one sealed object; the header is written at once.
   *
   * @param stored receives the sealed bytes; not closed
   * @throws org.stellaops.backup.model.BackupException.Crypto BAD_KEY if there is no recipient, or
   *     recipients that do not mix
   */
  Sealing seal(OutputStream stored, List<? extends Recipient> to) throws IOException;

  /**
   * Plain bytes go in. Only {@link #finish} makes the object valid; closing alone leaves it
   * truncated.
   */
  abstract class Sealing extends OutputStream {
    /** For implementations of a format. */
    protected Sealing() {}

    /** Writes the last segment. Nothing may be written afterwards. */
    public abstract void finish() throws IOException;

    /** Wipes the key. Does not finish, and does not close what is underneath. */
    @Override
    public abstract void close();
  }
}
