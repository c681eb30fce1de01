package org.stellaops.backup.postgres.internal.restore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.postgres.internal.manifest.FileLedger;
import org.stellaops.backup.postgres.internal.tar.TarMember;

class ExtractionTest {
  @TempDir Path directory;

  /** In a locale that is not UTF-8 that is any letter beyond ASCII; in every one it is a zero. */
  @Test
  void a_name_that_this_process_cannot_write_is_a_failure_of_the_target() throws IOException {
    try (Extraction extraction = new Extraction(directory, "", new FileLedger(), Runnable::run)) {
      var e =
          assertThrows(
              BackupException.Target.class,
              () -> extraction.begin(new TarMember("base/caf\0", false, 1)));

      assertEquals(CoreFailure.TARGET_FAILED, e.code());
      assertTrue(e.getMessage().contains("LC_ALL=C.UTF-8"), e.getMessage());
    }
  }
}
