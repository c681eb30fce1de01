package org.stellaops.backup.testkit;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.spi.BackupSink;

/** Stands here because backup-core cannot depend on its own test kit. */
class DirectorySinkContractTest extends BackupSinkContract {
  @TempDir Path directory;

  @Override
  protected BackupSink newSink() {
    return DirectorySink.at(directory.resolve("store"));
  }

  @Override
  protected Set<String> reservedNames() {
    return Set.of("tmp", "tmp/below", "lost+found");
  }

  @Override
  protected void assertNothingOpen(BackupSink tested) throws IOException {
    OpenFiles.assertNoneBelow(directory);
  }
}
