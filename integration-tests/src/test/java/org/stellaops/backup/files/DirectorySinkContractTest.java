package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.BackupSinkContract;
import org.stellaops.backup.testkit.OpenFiles;

class DirectorySinkContractTest extends BackupSinkContract {
  @TempDir Path temp;

  @Override
  protected BackupSink newSink() throws IOException {
    return DirectorySink.at(Files.createTempDirectory(temp, "sink").resolve("store"));
  }

  @Override
  protected void assertNothingOpen(BackupSink tested) throws IOException {
    OpenFiles.assertNoneBelow(temp);
  }

  /** What is half written has to be somewhere, on the same file system. */
  @Override
  protected List<String> awkwardNames() {
    return super.awkwardNames().stream().filter(name -> !name.equals("tmp")).toList();
  }
}
