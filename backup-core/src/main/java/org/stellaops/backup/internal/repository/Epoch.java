package org.stellaops.backup.internal.repository;

import java.util.List;
import org.stellaops.backup.spi.Recipient;

/**
 * A span of time in which everything is encrypted to one identity.
 *
 * @param id 16 hexadecimal digits
 * @param recipient public half
 * @param wrapped the private half, sealed for the owners' recipients: base64 of the bytes of each
 *     {@code keys/<id>-<n>.age}
 */
public record Epoch(String id, Recipient recipient, List<String> wrapped) {
  public Epoch {
    wrapped = List.copyOf(wrapped);
  }

  /**
   * To whom a writer's state is sealed: to the writer and the owners, or to the writer alone where
   * the two do not mix in one file, as a post-quantum epoch with a classic writer.
   */
  public List<Recipient> with(Recipient own) {
    return own.labels().equals(recipient.labels()) ? List.of(own, recipient) : List.of(own);
  }

  /**
   * How a snapshot's entry carries the sealed private half once more, so that entry, identity and
   * packs suffice.
   */
  public List<String> keyFields() {
    return wrapped.stream().map(key -> id + " " + key).toList();
  }
}
