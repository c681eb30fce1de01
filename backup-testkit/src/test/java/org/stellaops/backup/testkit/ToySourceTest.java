package org.stellaops.backup.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.spi.BackupSource;

class ToySourceTest extends BackupSourceContract {
  @TempDir Path directory;

  @BeforeEach
  void write() throws IOException {
    Files.createDirectory(directory.resolve("system"));
    Files.write(directory.resolve("system/large"), SeededBytes.of(1, 200_000));
    Files.write(directory.resolve("system/small"), SeededBytes.of(2, 10));
    Files.createFile(directory.resolve("system/empty"));
  }

  @Override
  protected BackupSource newSource() {
    return new ToySource(directory.resolve("system"));
  }

  @Override
  protected BackupSource newSourceOfNothing() {
    return new ToySource(directory.resolve("nothing"));
  }

  @Override
  protected void assertRestores(Captured captured) throws IOException {
    Path to = Files.createTempDirectory(directory, "restored").resolve("live");

    RestoreHarness.of(new ToyTarget(to), captured).restore();

    Trees.assertEqual(directory.resolve("system"), to);
  }
}
