package org.stellaops.backup.model;

/**
 * Who may speak in a log, as the administrators write it down. For information: a reader believes
 * what he has pinned.
 *
 * @param log the log, or a pattern as in {@code allowed_signers}
 * @param publicKey {@code ssh-ed25519 AAAA…}
 * @param isRevoked whether that was taken back
 */
public record Principal(String log, String publicKey, boolean isRevoked) {}
