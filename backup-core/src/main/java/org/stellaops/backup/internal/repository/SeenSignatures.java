package org.stellaops.backup.internal.repository;

import java.util.HashMap;
import java.util.Map;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;

/**
 * Which key signed which entry: the same bytes are verified once, however often a log is read. Of
 * bounded size; from any thread.
 */
final class SeenSignatures {
  private static final int MAX_ENTRIES = 20_000;
  private final Map<Digest, String> signers = new HashMap<>();

  /** Verifies a signature and names the key. */
  @FunctionalInterface
  interface Verification {
    String signer() throws BackupException;
  }

  /** The key that signed the entry with this digest. */
  synchronized String signer(Digest entry, Verification verification) throws BackupException {
    String known = signers.get(entry);
    if (known != null) {
      return known;
    }
    String signer = verification.signer();
    if (signers.size() == MAX_ENTRIES) {
      signers.clear();
    }
    signers.put(entry, signer);
    return signer;
  }
}
