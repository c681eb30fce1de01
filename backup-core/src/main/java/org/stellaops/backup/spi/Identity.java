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
   * @throws org.stellaops.backup.model.BackupException.Crypto if a stanza is for it and malformed,
   *     or if a passphrase is wrong
   */
  Optional<FileKey> unwrap(List<Stanza> stanzas) throws IOException;

  /** The format it belongs to. */
  SealedFormat format();

  @Override
  void close();
}
