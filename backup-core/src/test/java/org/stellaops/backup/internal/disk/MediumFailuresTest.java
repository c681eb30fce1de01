package org.stellaops.backup.internal.disk;

import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/** What a medium says, told by what was tried: to read, or to write. */
class MediumFailuresTest {
  @TempDir Path directory;

  private void assertReads(CoreFailure expected, IOException e) {
    BackupException failure = MediumFailures.reading("read a", directory, e);
    assertSame(expected, failure.code(), failure::toString);
  }

  @Test
  void what_may_not_be_read_is_denied_and_not_gone() {
    assertReads(CoreFailure.SINK_DENIED, new AccessDeniedException("a"));
    assertReads(CoreFailure.SINK_DENIED, new FileNotFoundException("a (Permission denied)"));
    assertReads(CoreFailure.MEDIUM_GONE, new NoSuchFileException("a"));
    assertReads(
        CoreFailure.MEDIUM_GONE, new FileNotFoundException("a (No such file or directory)"));
  }

  /** {@code /proc} has no room, and is never full for who reads. */
  @Test
  void room_is_asked_for_only_when_something_was_written() throws Exception {
    Path full = Path.of("/proc/self");
    assertTrue(Files.getFileStore(full).getUsableSpace() == 0);
    IOException e = new IOException("Invalid argument");
    assertSame(CoreFailure.SINK_FAILED, MediumFailures.reading("read a", full, e).code());
    assertSame(CoreFailure.SINK_FULL, MediumFailures.translate("write a", full, e).code());
  }
}
