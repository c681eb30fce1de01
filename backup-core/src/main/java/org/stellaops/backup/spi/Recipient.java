package org.stellaops.backup.spi;

import java.io.IOException;
import java.util.List;
import java.util.Set;

/**
 * A public key to encrypt to. This is age's own seam (age-encryption.org/v1, "recipient stanza"),
 * so that a KMS or an HSM is thirty lines. A value; from any thread.
 */
public interface Recipient {
  /** As it is written: {@code age1…}. Stands in clear in the repository. */
  String text();

  /** Recipients of unequal labels do not mix in one file: a passphrase must stand alone. */
  default Set<String> labels() {
    return Set.of();
  }

  /** Wraps the key of one file. */
  List<Stanza> wrap(FileKey key) throws IOException;

  /** The format it belongs to. */
  SealedFormat format();
}
