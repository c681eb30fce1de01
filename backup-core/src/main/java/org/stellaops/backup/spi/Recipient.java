package org.stellaops.backup.spi;

import java.io.IOException;
import java.util.List;
import java.util.Set;

/**
 * A public key to encrypt to. This is age's own seam (age-encryption.org/v1, "recipient stanza"),
 * so that a KMS or an HSM is thirty lines. A value; from any thread.
 */
public interface Recipient {
  /** As it is written: {@code age1…}; {@code passphrase} for any passphrase. */
  String text();

  /**
   * What tells it from every other recipient of a writer, in one line of printable ASCII that
   * stands in clear in the repository: the text, unless that is the same for unequal ones. A
   * passphrase gives a MAC, or nobody would notice that it was changed.
   *
   * @param by known to the writer only
   */
  default String fingerprint(FileKey by) {
    return text();
  }

  /**
   * Recipients of unequal labels do not mix in one file. A passphrase, which must stand alone, has
   * a label that no other recipient has.
   */
  default Set<String> labels() {
    return Set.of();
  }

  /** Wraps the key of one file. */
  List<Stanza> wrap(FileKey key) throws IOException;

  /** The format it belongs to. */
  SealedFormat format();
}
