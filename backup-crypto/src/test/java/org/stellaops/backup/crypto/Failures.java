package org.stellaops.backup.crypto;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.function.Executable;
import org.stellaops.backup.model.BackupException;

/** Failures by their code. */
final class Failures {
  private Failures() {}

  static BackupException.Crypto assertCrypto(String code, Executable action) {
    return assertFails(BackupException.Crypto.class, code, action);
  }

  static BackupException.Corrupt assertCorrupt(String code, Executable action) {
    return assertFails(BackupException.Corrupt.class, code, action);
  }

  static <E extends BackupException> E assertFails(Class<E> kind, String code, Executable action) {
    E failure = assertThrows(kind, action);
    assertEquals(code, failure.code().code(), failure.getMessage());
    return failure;
  }
}
