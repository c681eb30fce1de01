package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.testkit.BackupSourceContract;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

class FileSourceContractTest extends BackupSourceContract {
  @TempDir Path temp;

  private Path tree;

  @BeforeEach
  void fill() throws IOException {
    tree = Files.createDirectory(temp.resolve("tree"));
    Tree.awkward(tree);
  }

  @Override
  protected BackupSource newSource() {
    return FileSource.in(tree);
  }

  @Override
  protected BackupSource newSourceOfNothing() {
    return FileSource.in(temp.resolve("absent"));
  }

  @Override
  protected void assertRestores(Captured captured) throws Exception {
    Path out = Files.createTempDirectory(temp, "out");
    RestoreHarness.of(FileTarget.at(out), captured).restore();
    Tree.assertEqual(Tree.of(tree), Tree.of(out));
  }
}
