package org.stellaops.backup.spi;

import java.util.List;

/**
 * One wrapped key in the header of an age file (age-encryption.org/v1, "recipient stanza").
 *
 * @param type first argument: {@code X25519}, {@code scrypt}
 * @param arguments the rest
 * @param body unpadded base64, without line breaks
 */
public record Stanza(String type, List<String> arguments, String body) {
  public Stanza {
    arguments = List.copyOf(arguments);
  }
}
