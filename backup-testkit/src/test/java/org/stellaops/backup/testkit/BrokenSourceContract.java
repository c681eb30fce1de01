package org.stellaops.backup.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import org.stellaops.backup.spi.BackupSource;

/** The contract of sources on a toy that is broken; the directory holds {@code system}. */
final class BrokenSourceContract extends BackupSourceContract {
  private final Path directory;
  private final Function<ToySource, BackupSource> breaking;

  BrokenSourceContract(Path directory, Function<ToySource, BackupSource> breaking) {
    this.directory = directory;
    this.breaking = breaking;
  }

  @Override
  protected BackupSource newSource() {
    return breaking.apply(new ToySource(directory.resolve("system")));
  }

  @Override
  protected BackupSource newSourceOfNothing() {
    return breaking.apply(new ToySource(directory.resolve("nothing")));
  }

  @Override
  protected void assertRestores(Captured captured) throws IOException {
    Path to = Files.createTempDirectory(directory, "restored").resolve("live");
    RestoreHarness.of(new ToyTarget(to), captured).restore();
    Trees.assertEqual(directory.resolve("system"), to);
  }
}
