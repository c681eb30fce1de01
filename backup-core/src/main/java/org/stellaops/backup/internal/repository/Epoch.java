package org.stellaops.backup.internal.repository;

import org.stellaops.backup.spi.Recipient;

/**
 * A span of time in which everything is encrypted to one identity.
 *
 * @param id 16 hexadecimal digits
 * @param recipient public half
 * @param wrapped the private half, sealed for the owners' recipients: base64 of the bytes of {@code
 *     keys/<id>-1.age}
 */
public record Epoch(String id, Recipient recipient, String wrapped) {
  /**
   * How a snapshot's entry carries the sealed private half once more, so that entry, identity and
   * packs suffice.
   */
  public String keyField() {
    return id + " " + wrapped;
  }
}
