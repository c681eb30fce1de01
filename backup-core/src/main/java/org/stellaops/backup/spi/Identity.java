package org.stellaops.backup.spi;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** A private key that decrypts. From any thread. Whoever made it closes it, which wipes it. */
public interface Identity extends AutoCloseable {
  /**
   * The key of one file.
   *
   * @return empty if none of the stanzas is for this identity
   * @throws org.stellaops.backup.model.BackupException.Crypto WRONG_PASSPHRASE
   * @throws org.stellaops.backup.model.BackupException.Corrupt MALFORMED if a stanza of its type is
   *     not well-formed
   */
  Optional<FileKey> unwrap(List<Stanza> stanzas) throws IOException;

  /** The format it belongs to. */
  SealedFormat format();

  @Override
  void close();
}
