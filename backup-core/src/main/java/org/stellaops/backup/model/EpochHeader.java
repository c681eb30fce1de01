package org.stellaops.backup.model;

import java.time.Instant;
import java.util.List;

/**
 * An epoch of a repository, and who can open it, as the log of keys says it.
 *
 * @param id 16 hexadecimal digits
 * @param recipient what is backed up in it is encrypted to this
 * @param begun when it was made, by the clock of who made it
 * @param madeBy the public key that signed for it
 * @param readers whom its key is sealed for: recipients as they are written, and of a passphrase
 *     {@code passphrase} and a MAC by the writer that named it
 */
public record EpochHeader(
    String id, String recipient, Instant begun, String madeBy, List<String> readers) {
  public EpochHeader {
    readers = List.copyOf(readers);
  }
}
