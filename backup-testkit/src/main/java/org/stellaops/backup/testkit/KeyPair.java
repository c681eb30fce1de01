package org.stellaops.backup.testkit;

import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;

/**
 * Both halves of a key, for the contracts of formats.
 *
 * @param recipient encrypts
 * @param identity decrypts; closed by whoever made it
 */
public record KeyPair(Recipient recipient, Identity identity) {}
