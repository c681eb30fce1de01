package org.stellaops.backup.spi;

import java.io.IOException;
import org.stellaops.backup.model.Secret;

/** A format of sealed objects with its keys. There is one: {@code age/1}, in backup-crypto. */
public interface SealedFormat extends Encryptor, Decryptor {
  /** A fresh key pair, for an epoch of a repository. */
  Secret newIdentity() throws IOException;

  /**
   * The identity or identities in the text of an identity file; comments and empty lines are passed
   * over.
   *
   * @throws org.stellaops.backup.model.BackupException.Crypto BAD_KEY; the message never holds the
   *     text
   */
  Identity identity(Secret text) throws IOException;

  /** The public half of an identity that {@link #newIdentity} made. */
  Recipient recipientOf(Secret identity) throws IOException;

  /**
   * A recipient as it is written.
   *
   * @throws org.stellaops.backup.model.BackupException.Crypto BAD_KEY
   */
  Recipient recipient(String text) throws IOException;
}
